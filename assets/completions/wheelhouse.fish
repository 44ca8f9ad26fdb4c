# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_wheelhouse_global_optspecs
    string join \n demo read-only log-file= kubeconfig= context= cluster= user= n/namespace= A/all-namespaces as= as-group= as-uid= s/server= token= certificate-authority= insecure-skip-tls-verify tls-server-name= proxy-url= request-timeout= ascii link= h/help V/version
end

function __fish_wheelhouse_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_wheelhouse_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_wheelhouse_using_subcommand
    set -l cmd (__fish_wheelhouse_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l log-file -d 'Write a log to this file. Tokens, keys and Secret values never get into it' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l kubeconfig -d 'Read this kubeconfig file only (it must exist), instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l context -d 'Open this context of the kubeconfig instead of its current one' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l cluster -d 'Take this cluster entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l user -d 'Take this user entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -s n -l namespace -d 'Start in this namespace' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l as -d 'Act as this user (impersonation); a service account is written system:serviceaccount:NS:NAME' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l as-group -d 'Act as a member of this group too; may be repeated' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l as-uid -d 'Act with this user id' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -s s -l server -d 'Talk to the API server at this URL (it may carry a path)' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l token -d 'Authenticate with this bearer token' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l certificate-authority -d 'Trust the certificate authorities in this file, and no others' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l tls-server-name -d 'Verify the server\'s certificate against this name instead of the URL\'s host' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l proxy-url -d 'Connect through this proxy (http, https, socks5 or socks5h URL)' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l request-timeout -d 'Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected' -r
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l link -d 'How much may be written to the terminal: slow 8 KB/s, fast unlimited, auto 32 KB/s over SSH' -r -f -a "slow\t'8 KB/s'
auto\t'32 KB/s over SSH, else unlimited'
fast\t'Unlimited'"
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l demo -d 'Use the embedded demo cluster instead of a real one'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l read-only -d 'Refuse every request that could change something, where requests leave the process'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -s A -l all-namespaces -d 'Start over all namespaces'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate: anyone on the path can read and change everything'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -l ascii -d 'Draw with ASCII alone (chosen by itself in a C locale)'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -s V -l version -d 'Print version'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -a "print" -d 'Print a view: the same columns, filter and order as on screen'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -a "doctor" -d 'Tell what works from here: kubeconfig, connection, rights, terminal, clipboard'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -a "completions" -d 'Print a completion script for a shell'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -a "man" -d 'Print the manual page'
complete -c wheelhouse -n "__fish_wheelhouse_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -s o -l output -d 'Output format' -r -f -a "table\t'Aligned columns'
wide\t'Aligned columns, all of them'
json\t'One array of objects; keys are column ids, numbers are numbers, times RFC 3339, absent is null'
yaml\t'The same as YAML'
csv\t'Comma-separated values with a heading'
name\t'`kind/name`, one a line'"
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l filter -d 'Only rows that match, in the words of the screen\'s filter: \'status:crash !namespace:kube-system\'' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l sort -d 'Order by this column; `:desc` turns it round' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l columns -d 'These columns, by id, in this order' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l log-file -d 'Write a log to this file. Tokens, keys and Secret values never get into it' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l kubeconfig -d 'Read this kubeconfig file only (it must exist), instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l context -d 'Open this context of the kubeconfig instead of its current one' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l cluster -d 'Take this cluster entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l user -d 'Take this user entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -s n -l namespace -d 'Start in this namespace' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l as -d 'Act as this user (impersonation); a service account is written system:serviceaccount:NS:NAME' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l as-group -d 'Act as a member of this group too; may be repeated' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l as-uid -d 'Act with this user id' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -s s -l server -d 'Talk to the API server at this URL (it may carry a path)' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l token -d 'Authenticate with this bearer token' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l certificate-authority -d 'Trust the certificate authorities in this file, and no others' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l tls-server-name -d 'Verify the server\'s certificate against this name instead of the URL\'s host' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l proxy-url -d 'Connect through this proxy (http, https, socks5 or socks5h URL)' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l request-timeout -d 'Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l demo -d 'Use the embedded demo cluster instead of a real one'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l read-only -d 'Refuse every request that could change something, where requests leave the process'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -s A -l all-namespaces -d 'Start over all namespaces'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate: anyone on the path can read and change everything'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand print" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l log-file -d 'Write a log to this file. Tokens, keys and Secret values never get into it' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l kubeconfig -d 'Read this kubeconfig file only (it must exist), instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l context -d 'Open this context of the kubeconfig instead of its current one' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l cluster -d 'Take this cluster entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l user -d 'Take this user entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -s n -l namespace -d 'Start in this namespace' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l as -d 'Act as this user (impersonation); a service account is written system:serviceaccount:NS:NAME' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l as-group -d 'Act as a member of this group too; may be repeated' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l as-uid -d 'Act with this user id' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -s s -l server -d 'Talk to the API server at this URL (it may carry a path)' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l token -d 'Authenticate with this bearer token' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l certificate-authority -d 'Trust the certificate authorities in this file, and no others' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l tls-server-name -d 'Verify the server\'s certificate against this name instead of the URL\'s host' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l proxy-url -d 'Connect through this proxy (http, https, socks5 or socks5h URL)' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l request-timeout -d 'Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l demo -d 'Use the embedded demo cluster instead of a real one'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l read-only -d 'Refuse every request that could change something, where requests leave the process'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -s A -l all-namespaces -d 'Start over all namespaces'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate: anyone on the path can read and change everything'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l log-file -d 'Write a log to this file. Tokens, keys and Secret values never get into it' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l kubeconfig -d 'Read this kubeconfig file only (it must exist), instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l context -d 'Open this context of the kubeconfig instead of its current one' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l cluster -d 'Take this cluster entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l user -d 'Take this user entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -s n -l namespace -d 'Start in this namespace' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l as -d 'Act as this user (impersonation); a service account is written system:serviceaccount:NS:NAME' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l as-group -d 'Act as a member of this group too; may be repeated' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l as-uid -d 'Act with this user id' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -s s -l server -d 'Talk to the API server at this URL (it may carry a path)' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l token -d 'Authenticate with this bearer token' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l certificate-authority -d 'Trust the certificate authorities in this file, and no others' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l tls-server-name -d 'Verify the server\'s certificate against this name instead of the URL\'s host' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l proxy-url -d 'Connect through this proxy (http, https, socks5 or socks5h URL)' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l request-timeout -d 'Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l demo -d 'Use the embedded demo cluster instead of a real one'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l read-only -d 'Refuse every request that could change something, where requests leave the process'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -s A -l all-namespaces -d 'Start over all namespaces'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate: anyone on the path can read and change everything'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand completions" -s h -l help -d 'Print help'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l log-file -d 'Write a log to this file. Tokens, keys and Secret values never get into it' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l kubeconfig -d 'Read this kubeconfig file only (it must exist), instead of $KUBECONFIG or ~/.kube/config' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l context -d 'Open this context of the kubeconfig instead of its current one' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l cluster -d 'Take this cluster entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l user -d 'Take this user entry of the kubeconfig instead of the context\'s' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -s n -l namespace -d 'Start in this namespace' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l as -d 'Act as this user (impersonation); a service account is written system:serviceaccount:NS:NAME' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l as-group -d 'Act as a member of this group too; may be repeated' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l as-uid -d 'Act with this user id' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -s s -l server -d 'Talk to the API server at this URL (it may carry a path)' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l token -d 'Authenticate with this bearer token' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l certificate-authority -d 'Trust the certificate authorities in this file, and no others' -r -F
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l tls-server-name -d 'Verify the server\'s certificate against this name instead of the URL\'s host' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l proxy-url -d 'Connect through this proxy (http, https, socks5 or socks5h URL)' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l request-timeout -d 'Give up on a single request after this long (5s, 2m, plain seconds; 0 means never); watches are not affected' -r
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l demo -d 'Use the embedded demo cluster instead of a real one'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l read-only -d 'Refuse every request that could change something, where requests leave the process'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -s A -l all-namespaces -d 'Start over all namespaces'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -l insecure-skip-tls-verify -d 'Do not verify the server\'s certificate: anyone on the path can read and change everything'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand man" -s h -l help -d 'Print help'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand help; and not __fish_seen_subcommand_from print doctor completions man help" -f -a "print" -d 'Print a view: the same columns, filter and order as on screen'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand help; and not __fish_seen_subcommand_from print doctor completions man help" -f -a "doctor" -d 'Tell what works from here: kubeconfig, connection, rights, terminal, clipboard'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand help; and not __fish_seen_subcommand_from print doctor completions man help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand help; and not __fish_seen_subcommand_from print doctor completions man help" -f -a "man" -d 'Print the manual page'
complete -c wheelhouse -n "__fish_wheelhouse_using_subcommand help; and not __fish_seen_subcommand_from print doctor completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
