//! "Which schema catches this?", as it is typed: `jane list pods.apps -n shop -g dev`, `me get /healthz`.

use super::catch::{Asked, Step, What, catch};
use super::schema::Schema;

/// How a question is written.
pub const SYNTAX: &str =
    "USER|me VERB RESOURCE[.GROUP][/SUBRESOURCE]|/PATH [-n NAMESPACE] [-g GROUP]...";

/// What stands for oneself.
pub const ME: &str = "me";

/// Reads a question. Groups that the server adds by itself are not among its groups yet.
///
/// # Errors
/// What is missing.
pub fn read(text: &str) -> Result<Asked, String> {
    let mut words = text.split_whitespace();
    let (mut plain, mut groups, mut namespace) = (vec![], vec![], String::new());
    while let Some(word) = words.next() {
        let mut value = || words.next().map(str::to_owned).ok_or(format!("{word} takes a name"));
        match word {
            "-n" | "--namespace" => namespace = value()?,
            "-g" | "--group" => groups.push(value()?),
            word => plain.push(word),
        }
    }
    let [user, verb, what] = plain[..] else { return Err(format!("it is written {SYNTAX}")) };
    Ok(Asked { user: user.into(), groups, verb: verb.into(), what: what_of(what, namespace) })
}

/// The same, written.
pub fn written(asked: &Asked) -> String {
    let (what, namespace) = match &asked.what {
        What::Path(path) => (path.clone(), ""),
        What::Resource { group, resource, sub, namespace } => {
            let dot = if group.is_empty() { "" } else { "." };
            let slash = if sub.is_empty() { "" } else { "/" };
            (format!("{resource}{dot}{group}{slash}{sub}"), namespace.as_str())
        }
    };
    let mut words = format!("{} {} {what}", asked.user, asked.verb);
    if !namespace.is_empty() {
        words += &format!(" -n {namespace}");
    }
    asked.groups.iter().fold(words, |words, group| words + " -g " + group)
}

/// `RESOURCE[.GROUP][/SUBRESOURCE]` in a namespace, or a `/path`.
pub fn what_of(text: &str, namespace: String) -> What {
    if text.starts_with('/') {
        return What::Path(text.to_owned());
    }
    let (name, sub) = text.split_once('/').unwrap_or((text, ""));
    let (resource, group) = name.split_once('.').unwrap_or((name, ""));
    let own = str::to_owned;
    What::Resource { group: own(group), resource: own(resource), sub: own(sub), namespace }
}

/// What a URL's path asks for, as the server reads it (apiserver `request.RequestInfoFactory`): below `/api/v1` and
/// `/apis/GROUP/VERSION` a resource, everything else a path.
pub fn of_path(path: &str) -> What {
    let bare = path.split('?').next().unwrap_or(path);
    let parts: Vec<&str> = bare.trim_matches('/').split('/').collect();
    let (group, rest) = match parts[..] {
        ["api", _, ref rest @ ..] if !rest.is_empty() => ("", rest),
        ["apis", group, _, ref rest @ ..] if !rest.is_empty() => (group, rest),
        _ => return What::Path(bare.to_owned()),
    };
    // `namespaces/x/finalize` is the namespace itself; everything else below it is in it.
    let (namespace, rest) = match rest {
        ["namespaces", name, "status" | "finalize"] => (*name, rest),
        ["namespaces", name, rest @ ..] if !rest.is_empty() => (*name, rest),
        ["namespaces", name] => (*name, rest),
        rest => ("", rest),
    };
    let sub = rest.get(2).copied().unwrap_or_default();
    let own = |text: &str| text.to_owned();
    let resource = own(rest.first().copied().unwrap_or_default());
    What::Resource { group: own(group), resource, sub: own(sub), namespace: own(namespace) }
}

/// Who catches it, in a sentence, and each schema that was asked.
pub fn answer(asked: &Asked, schemas: &[Schema], levels: &[String]) -> (String, Vec<Step>) {
    let steps = catch(asked, schemas, levels);
    let words = match steps.last() {
        None => "long-running: not under priority and fairness".to_owned(),
        Some(step) => format!("schema {} catches it: level {}", step.schema, step.level),
    };
    (words, steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_and_written() {
        let asked = read("jane list pods.apps/status -n shop -g dev -g ops").unwrap();
        assert_eq!(written(&asked), "jane list pods.apps/status -n shop -g dev -g ops");
        assert_eq!(asked.groups, ["dev", "ops"]);
        assert_eq!(read("me get /healthz").unwrap().what, What::Path("/healthz".into()));
        assert!(read("jane list").unwrap_err().contains("USER|me VERB"));
        assert!(read("jane list pods -n").unwrap_err().contains("-n takes a name"));
    }

    #[test]
    fn a_path_is_read_as_the_server_does() {
        let asks = |path: &str| match of_path(path) {
            What::Path(path) => path,
            What::Resource { group, resource, sub, namespace } => {
                format!("{group}|{resource}|{sub}|{namespace}")
            }
        };
        assert_eq!(asks("/api/v1/pods?limit=5"), "|pods||");
        assert_eq!(asks("/api/v1/namespaces/shop/pods/web/log"), "|pods|log|shop");
        assert_eq!(asks("/apis/apps/v1/deployments"), "apps|deployments||");
        assert_eq!(asks("/api/v1/namespaces/shop"), "|namespaces||shop");
        assert_eq!(asks("/api/v1/namespaces/shop/finalize"), "|namespaces|finalize|shop");
        assert_eq!(asks("/api/v1/namespaces"), "|namespaces||");
        assert_eq!(asks("/api/v1"), "/api/v1");
        assert_eq!(asks("/healthz/etcd"), "/healthz/etcd");
    }
}
