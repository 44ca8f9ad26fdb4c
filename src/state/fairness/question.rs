//! "Which schema catches this?", as it is typed: `jane list pods.apps -n shop -g dev`, `me get /healthz`; or as a request that
//! was seen. A question is data: what a client called itself is never read as words.

use super::catch::{Asked, Step, What, catch};
use super::schema::Schema;
use crate::state::kinds;
use std::collections::BTreeSet;

/// How a question is written.
pub const SYNTAX: &str =
    "USER|me VERB RESOURCE[.GROUP][/SUBRESOURCE]|/PATH [NAME] [-n NAMESPACE] [-g GROUP]...";

/// What stands for oneself.
pub const ME: &str = "me";

/// The resources of the core group.
const CORE: [&str; 17] = [
    "bindings",
    "componentstatuses",
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "podtemplates",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "serviceaccounts",
    "services",
];

/// A question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// The request. Groups that the server adds by itself are not among its groups until it is [made whole](Question::whole).
    pub asked: Asked,
    /// Whether it is asked about oneself, whoever that is.
    pub is_me: bool,
    /// The schema that the server put it in, where it was seen in a dump.
    pub put_in: Option<String>,
    /// How it was understood where it could mean something else, a sentence.
    pub note: Option<String>,
}

impl Question {
    /// A question that was typed: a name matters to namespaces alone, which the server takes to be in themselves.
    ///
    /// # Errors
    /// A namespace is asked for and none is named.
    pub fn typed(
        mut asked: Asked,
        what: &str,
        name: &str,
        namespace: &str,
    ) -> Result<Question, String> {
        let (what, note) = what_of(what, namespace.to_owned());
        asked.what = what;
        let is_one = ["get", "update", "patch", "delete"].contains(&asked.verb.as_str());
        if let What::Resource { group, resource, namespace, .. } = &mut asked.what
            && (group.is_empty() && resource == "namespaces" && is_one)
        {
            if !name.is_empty() {
                name.clone_into(namespace);
            }
            if namespace.is_empty() {
                let why = "which namespace? The server takes its name for the request's namespace, and rules go by that";
                return Err(format!("{why}: {} namespaces NAME", asked.verb));
            }
        }
        let is_me = asked.user == ME;
        Ok(Question { asked, is_me, put_in: None, note })
    }

    /// With oneself put in where it is about oneself, and the groups that the server adds.
    pub fn whole(mut self, (name, groups): &(String, Vec<String>)) -> Question {
        if self.is_me {
            self.asked.user.clone_from(name);
            self.asked.groups.extend(groups.iter().cloned());
        }
        self.asked = self.asked.with_usual_groups();
        self
    }
}

/// Reads a question.
///
/// # Errors
/// What is missing.
pub fn read(text: &str) -> Result<Question, String> {
    let mut words = text.split_whitespace();
    let (mut plain, mut groups, mut namespace) = (vec![], vec![], "");
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} takes a name"));
        match word {
            "-n" | "--namespace" => namespace = value()?,
            "-g" | "--group" => groups.push(value()?.to_owned()),
            word => plain.push(word),
        }
    }
    let (user, verb, what, name) = match plain[..] {
        [user, verb, what] => (user, verb, what, ""),
        [user, verb, what, name] if !what.starts_with('/') => (user, verb, what, name),
        _ => return Err(format!("it is written {SYNTAX}")),
    };
    let asked = Asked { user: user.into(), groups, verb: verb.into(), ..Asked::default() };
    Question::typed(asked, what, name, namespace)
}

/// A request in words, to be read by people.
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

/// `RESOURCE[.GROUP][/SUBRESOURCE]` in a namespace, or a `/path`; and how it was understood where that is not plain. A dot at
/// the end means the core group.
fn what_of(text: &str, namespace: String) -> (What, Option<String>) {
    if text.starts_with('/') {
        return (What::Path(text.to_owned()), None);
    }
    let (name, sub) = text.split_once('/').unwrap_or((text, ""));
    let (resource, group, note) = match name.split_once('.') {
        Some((resource, group)) => (resource, group, None),
        None => group_of(name),
    };
    let own = str::to_owned;
    let what =
        What::Resource { group: own(group), resource: own(resource), sub: own(sub), namespace };
    (what, note)
}

/// A resource that is named without its group.
fn group_of(resource: &str) -> (&str, &'static str, Option<String>) {
    if CORE.contains(&resource) {
        return (resource, "", None);
    }
    let kinds = kinds::ALL.iter().flat_map(|table| table.kinds);
    let known = kinds.filter(|kind| kind.gvk.is_served() && kind.gvk.plural == resource);
    let groups: BTreeSet<&str> =
        known.map(|kind| kind.gvk.group).filter(|g| !g.is_empty()).collect();
    match groups.first() {
        Some(group) if groups.len() == 1 => {
            (resource, group, Some(format!("{resource} is taken for {resource}.{group}")))
        }
        _ => {
            let words = format!(
                "the core group has no {resource} that is known here: if it is of another API group, ask for {resource}.GROUP"
            );
            (resource, "", Some(words))
        }
    }
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
        let asked = read("jane list pods.apps/status -n shop -g dev -g ops").unwrap().asked;
        assert_eq!(written(&asked), "jane list pods.apps/status -n shop -g dev -g ops");
        assert_eq!(asked.groups, ["dev", "ops"]);
        assert_eq!(read("me get /healthz").unwrap().asked.what, What::Path("/healthz".into()));
        assert!(read("jane list").unwrap_err().contains("USER|me VERB"));
        assert!(read("jane list pods -n").unwrap_err().contains("-n takes a name"));
        let me = read("me list pods").unwrap().whole(&("ann".into(), vec!["ops".into()]));
        assert_eq!(written(&me.asked), "ann list pods -g ops -g system:authenticated");
    }

    #[test]
    fn a_namespace_is_in_itself_and_a_group_that_is_left_out_is_looked_up() {
        let words = |text: &str| read(text).map(|q| written(&q.asked));
        assert_eq!(words("u get namespaces shop").unwrap(), "u get namespaces -n shop");
        assert_eq!(
            words("u patch namespaces/status -n shop").unwrap(),
            "u patch namespaces/status -n shop"
        );
        assert_eq!(words("u list namespaces").unwrap(), "u list namespaces");
        assert!(words("u delete namespaces").unwrap_err().contains("delete namespaces NAME"));
        assert_eq!(words("u get pods web -n shop").unwrap(), "u get pods -n shop");
        let note = |text: &str| read(text).unwrap().note.unwrap_or_default();
        assert_eq!(words("u list deployments").unwrap(), "u list deployments.apps");
        assert_eq!(note("u list deployments"), "deployments is taken for deployments.apps");
        assert!(note("u list widgets").contains("ask for widgets.GROUP"));
        // `queues` and `kinds` are tables of this program and no resources.
        assert!(note("u list queues").contains("ask for queues.GROUP"));
        for plain in ["u list events", "u list widgets.", "u list widgets.example.com"] {
            assert_eq!(note(plain), "", "{plain}");
        }
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
