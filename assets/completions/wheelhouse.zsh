#compdef wheelhouse

autoload -U is-at-least

_wheelhouse() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--log-file=[Write a log to this file. Tokens, keys and Secret values never get into it]:FILE:_files' \
'--kubeconfig=[Read this kubeconfig file only (it must exist), instead of \$KUBECONFIG or ~/.kube/config]:FILE:_files' \
'--context=[Open this context of the kubeconfig instead of its current one]:NAME:_default' \
'--cluster=[Take this cluster entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'--user=[Take this user entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'-n+[Start in this namespace]:NAME:_default' \
'--namespace=[Start in this namespace]:NAME:_default' \
'--as=[Act as this user (impersonation); a service account is written system\:serviceaccount\:NS\:NAME]:USER:_default' \
'*--as-group=[Act as a member of this group too; may be repeated]:GROUP:_default' \
'--as-uid=[Act with this user id]:UID:_default' \
'-s+[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--server=[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--token=[Authenticate with this bearer token]:TOKEN:_default' \
'--certificate-authority=[Trust the certificate authorities in this file, and no others]:FILE:_files' \
'--tls-server-name=[Verify the server'\''s certificate against this name instead of the URL'\''s host]:NAME:_default' \
'--proxy-url=[Connect through this proxy (http, https, socks5 or socks5h URL)]:URL:_default' \
'--request-timeout=[Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected]:DURATION:_default' \
'--link=[How much may be written to the terminal\: slow 8 KB/s, fast unlimited, auto 32 KB/s over SSH]:LINK:((slow\:"8 KB/s"
auto\:"32 KB/s over SSH, else unlimited"
fast\:"Unlimited"))' \
'--demo[Use the embedded demo cluster instead of a real one]' \
'--read-only[Refuse every request that could change something, where requests leave the process]' \
'-A[Start over all namespaces]' \
'--all-namespaces[Start over all namespaces]' \
'--insecure-skip-tls-verify[Do not verify the server'\''s certificate\: anyone on the path can read and change everything]' \
'--ascii[Draw with ASCII alone (chosen by itself in a C locale)]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::view -- The view to open:(nodes pods namespaces poddisruptionbudgets workloads)' \
":: :_wheelhouse_commands" \
"*::: :->wheelhouse" \
&& ret=0
    case $state in
    (wheelhouse)
        words=($line[2] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:wheelhouse-command-$line[2]:"
        case $line[2] in
            (print)
_arguments "${_arguments_options[@]}" : \
'-o+[Output format]:OUTPUT:((table\:"Aligned columns"
wide\:"Aligned columns, all of them"
json\:"One array of objects; keys are column ids, numbers are numbers, times RFC 3339, absent is null"
yaml\:"The same as YAML"
csv\:"Comma-separated values with a heading"
name\:"\`kind/name\`, one a line"))' \
'--output=[Output format]:OUTPUT:((table\:"Aligned columns"
wide\:"Aligned columns, all of them"
json\:"One array of objects; keys are column ids, numbers are numbers, times RFC 3339, absent is null"
yaml\:"The same as YAML"
csv\:"Comma-separated values with a heading"
name\:"\`kind/name\`, one a line"))' \
'--filter=[Only rows that match, in the words of the screen'\''s filter\: '\''status\:crash !namespace\:kube-system'\'']:QUERY:_default' \
'--sort=[Order by this column; \`\:desc\` turns it round]:COL[:desc]:_default' \
'*--columns=[These columns, by id, in this order]:A,B:_default' \
'--log-file=[Write a log to this file. Tokens, keys and Secret values never get into it]:FILE:_files' \
'--kubeconfig=[Read this kubeconfig file only (it must exist), instead of \$KUBECONFIG or ~/.kube/config]:FILE:_files' \
'--context=[Open this context of the kubeconfig instead of its current one]:NAME:_default' \
'--cluster=[Take this cluster entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'--user=[Take this user entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'-n+[Start in this namespace]:NAME:_default' \
'--namespace=[Start in this namespace]:NAME:_default' \
'--as=[Act as this user (impersonation); a service account is written system\:serviceaccount\:NS\:NAME]:USER:_default' \
'*--as-group=[Act as a member of this group too; may be repeated]:GROUP:_default' \
'--as-uid=[Act with this user id]:UID:_default' \
'-s+[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--server=[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--token=[Authenticate with this bearer token]:TOKEN:_default' \
'--certificate-authority=[Trust the certificate authorities in this file, and no others]:FILE:_files' \
'--tls-server-name=[Verify the server'\''s certificate against this name instead of the URL'\''s host]:NAME:_default' \
'--proxy-url=[Connect through this proxy (http, https, socks5 or socks5h URL)]:URL:_default' \
'--request-timeout=[Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected]:DURATION:_default' \
'--demo[Use the embedded demo cluster instead of a real one]' \
'--read-only[Refuse every request that could change something, where requests leave the process]' \
'-A[Start over all namespaces]' \
'--all-namespaces[Start over all namespaces]' \
'--insecure-skip-tls-verify[Do not verify the server'\''s certificate\: anyone on the path can read and change everything]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
':view -- The view:(nodes pods namespaces poddisruptionbudgets workloads)' \
&& ret=0
;;
(doctor)
_arguments "${_arguments_options[@]}" : \
'--log-file=[Write a log to this file. Tokens, keys and Secret values never get into it]:FILE:_files' \
'--kubeconfig=[Read this kubeconfig file only (it must exist), instead of \$KUBECONFIG or ~/.kube/config]:FILE:_files' \
'--context=[Open this context of the kubeconfig instead of its current one]:NAME:_default' \
'--cluster=[Take this cluster entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'--user=[Take this user entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'-n+[Start in this namespace]:NAME:_default' \
'--namespace=[Start in this namespace]:NAME:_default' \
'--as=[Act as this user (impersonation); a service account is written system\:serviceaccount\:NS\:NAME]:USER:_default' \
'*--as-group=[Act as a member of this group too; may be repeated]:GROUP:_default' \
'--as-uid=[Act with this user id]:UID:_default' \
'-s+[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--server=[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--token=[Authenticate with this bearer token]:TOKEN:_default' \
'--certificate-authority=[Trust the certificate authorities in this file, and no others]:FILE:_files' \
'--tls-server-name=[Verify the server'\''s certificate against this name instead of the URL'\''s host]:NAME:_default' \
'--proxy-url=[Connect through this proxy (http, https, socks5 or socks5h URL)]:URL:_default' \
'--request-timeout=[Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected]:DURATION:_default' \
'--demo[Use the embedded demo cluster instead of a real one]' \
'--read-only[Refuse every request that could change something, where requests leave the process]' \
'-A[Start over all namespaces]' \
'--all-namespaces[Start over all namespaces]' \
'--insecure-skip-tls-verify[Do not verify the server'\''s certificate\: anyone on the path can read and change everything]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
'--log-file=[Write a log to this file. Tokens, keys and Secret values never get into it]:FILE:_files' \
'--kubeconfig=[Read this kubeconfig file only (it must exist), instead of \$KUBECONFIG or ~/.kube/config]:FILE:_files' \
'--context=[Open this context of the kubeconfig instead of its current one]:NAME:_default' \
'--cluster=[Take this cluster entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'--user=[Take this user entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'-n+[Start in this namespace]:NAME:_default' \
'--namespace=[Start in this namespace]:NAME:_default' \
'--as=[Act as this user (impersonation); a service account is written system\:serviceaccount\:NS\:NAME]:USER:_default' \
'*--as-group=[Act as a member of this group too; may be repeated]:GROUP:_default' \
'--as-uid=[Act with this user id]:UID:_default' \
'-s+[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--server=[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--token=[Authenticate with this bearer token]:TOKEN:_default' \
'--certificate-authority=[Trust the certificate authorities in this file, and no others]:FILE:_files' \
'--tls-server-name=[Verify the server'\''s certificate against this name instead of the URL'\''s host]:NAME:_default' \
'--proxy-url=[Connect through this proxy (http, https, socks5 or socks5h URL)]:URL:_default' \
'--request-timeout=[Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected]:DURATION:_default' \
'--demo[Use the embedded demo cluster instead of a real one]' \
'--read-only[Refuse every request that could change something, where requests leave the process]' \
'-A[Start over all namespaces]' \
'--all-namespaces[Start over all namespaces]' \
'--insecure-skip-tls-verify[Do not verify the server'\''s certificate\: anyone on the path can read and change everything]' \
'-h[Print help]' \
'--help[Print help]' \
':shell -- The shell:(bash elvish fish powershell zsh)' \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
'--log-file=[Write a log to this file. Tokens, keys and Secret values never get into it]:FILE:_files' \
'--kubeconfig=[Read this kubeconfig file only (it must exist), instead of \$KUBECONFIG or ~/.kube/config]:FILE:_files' \
'--context=[Open this context of the kubeconfig instead of its current one]:NAME:_default' \
'--cluster=[Take this cluster entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'--user=[Take this user entry of the kubeconfig instead of the context'\''s]:NAME:_default' \
'-n+[Start in this namespace]:NAME:_default' \
'--namespace=[Start in this namespace]:NAME:_default' \
'--as=[Act as this user (impersonation); a service account is written system\:serviceaccount\:NS\:NAME]:USER:_default' \
'*--as-group=[Act as a member of this group too; may be repeated]:GROUP:_default' \
'--as-uid=[Act with this user id]:UID:_default' \
'-s+[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--server=[Talk to the API server at this URL (it may carry a path)]:URL:_default' \
'--token=[Authenticate with this bearer token]:TOKEN:_default' \
'--certificate-authority=[Trust the certificate authorities in this file, and no others]:FILE:_files' \
'--tls-server-name=[Verify the server'\''s certificate against this name instead of the URL'\''s host]:NAME:_default' \
'--proxy-url=[Connect through this proxy (http, https, socks5 or socks5h URL)]:URL:_default' \
'--request-timeout=[Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected]:DURATION:_default' \
'--demo[Use the embedded demo cluster instead of a real one]' \
'--read-only[Refuse every request that could change something, where requests leave the process]' \
'-A[Start over all namespaces]' \
'--all-namespaces[Start over all namespaces]' \
'--insecure-skip-tls-verify[Do not verify the server'\''s certificate\: anyone on the path can read and change everything]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_wheelhouse__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:wheelhouse-help-command-$line[1]:"
        case $line[1] in
            (print)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(doctor)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(man)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_wheelhouse_commands] )) ||
_wheelhouse_commands() {
    local commands; commands=(
'print:Print a view\: the same columns, filter and order as on screen' \
'doctor:Tell what works from here\: kubeconfig, connection, rights, terminal, clipboard' \
'completions:Print a completion script for a shell' \
'man:Print the manual page' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'wheelhouse commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__completions_commands] )) ||
_wheelhouse__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'wheelhouse completions commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__doctor_commands] )) ||
_wheelhouse__subcmd__doctor_commands() {
    local commands; commands=()
    _describe -t commands 'wheelhouse doctor commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__help_commands] )) ||
_wheelhouse__subcmd__help_commands() {
    local commands; commands=(
'print:Print a view\: the same columns, filter and order as on screen' \
'doctor:Tell what works from here\: kubeconfig, connection, rights, terminal, clipboard' \
'completions:Print a completion script for a shell' \
'man:Print the manual page' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'wheelhouse help commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__help__subcmd__completions_commands] )) ||
_wheelhouse__subcmd__help__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'wheelhouse help completions commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__help__subcmd__doctor_commands] )) ||
_wheelhouse__subcmd__help__subcmd__doctor_commands() {
    local commands; commands=()
    _describe -t commands 'wheelhouse help doctor commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__help__subcmd__help_commands] )) ||
_wheelhouse__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'wheelhouse help help commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__help__subcmd__man_commands] )) ||
_wheelhouse__subcmd__help__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'wheelhouse help man commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__help__subcmd__print_commands] )) ||
_wheelhouse__subcmd__help__subcmd__print_commands() {
    local commands; commands=()
    _describe -t commands 'wheelhouse help print commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__man_commands] )) ||
_wheelhouse__subcmd__man_commands() {
    local commands; commands=()
    _describe -t commands 'wheelhouse man commands' commands "$@"
}
(( $+functions[_wheelhouse__subcmd__print_commands] )) ||
_wheelhouse__subcmd__print_commands() {
    local commands; commands=()
    _describe -t commands 'wheelhouse print commands' commands "$@"
}

if [ "$funcstack[1]" = "_wheelhouse" ]; then
    _wheelhouse "$@"
else
    compdef _wheelhouse wheelhouse
fi
