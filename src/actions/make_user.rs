//! Make a user: who it is, in one line. The key is made where the plan is carried out, see `app/enrol.rs`.

use super::change::{Argument, By, Change, Seen};
use super::plan::Plan;
use super::{Action, ActionSpec};

/// The action's id.
pub const ID: &str = "make-user";

/// Shortest life that the API server takes, in seconds (`pkg/apis/certificates/validation`, v1.36).
const SHORTEST: i64 = 600;

/// Who is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// User name.
    pub name: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Life of the certificate, in seconds.
    pub seconds: i64,
    /// A ClusterRole to be bound in the whole cluster.
    pub cluster_role: Option<String>,
    /// Namespace and Role to be bound in it.
    pub role: Option<(String, String)>,
}

impl User {
    /// `ci-bot group=dev expires=24h clusterrole=view role=NAMESPACE/ROLE`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(line: &str) -> Result<User, String> {
        let mut user = User { seconds: 86_400, ..User::default() };
        for word in line.split_whitespace() {
            match word.split_once('=') {
                None if user.name.is_empty() => user.name = word.to_owned(),
                None => return Err(format!("one user at a time: {word}?")),
                Some((_, "")) => return Err(format!("{word} what?")),
                Some(("group", group)) => user.groups.push(group.to_owned()),
                Some(("expires", life)) => user.seconds = seconds(life)?,
                Some(("clusterrole", role)) => user.cluster_role = Some(role.to_owned()),
                Some(("role", path)) => {
                    let (namespace, role) =
                        path.split_once('/').ok_or("role=NAMESPACE/ROLE, with the namespace")?;
                    user.role = Some((namespace.to_owned(), role.to_owned()));
                }
                Some((other, _)) => {
                    return Err(format!("{other}: it takes group, expires, clusterrole and role"));
                }
            }
        }
        if user.name.is_empty() { Err("a user name first".into()) } else { Ok(user) }
    }
}

/// `24h` in seconds.
///
/// # Errors
/// It is no duration, or shorter than the API server takes.
pub fn seconds(text: &str) -> Result<i64, String> {
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_alphabetic()).len());
    let each = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("a duration: 30m, 24h, 7d".into()),
    };
    let seconds = number.parse::<i64>().ok().and_then(|n| n.checked_mul(each));
    match seconds {
        Some(n @ SHORTEST..=2_147_483_647) => Ok(n),
        Some(..SHORTEST) => Err("the API server takes nothing shorter than 10m".into()),
        _ => Err("a duration: 30m, 24h, 7d".into()),
    }
}

/// Makes a user with a certificate.
pub struct MakeUser;

impl Action for MakeUser {
    fn spec(&self) -> &'static ActionSpec {
        &ActionSpec {
            id: ID,
            word: "make a user",
            help: "a key that stays on this machine, a request for it, and a kubeconfig once it is signed",
            tables: &["certificatesigningrequests"],
            shown: false,
        }
    }

    fn change(&self) -> Option<&dyn Change> {
        Some(self)
    }
}

impl Change for MakeUser {
    fn argument(&self) -> Option<Argument> {
        Some(Argument {
            label: "user",
            example: "ci-bot group=dev expires=24h clusterrole=view role=shop/deployer",
        })
    }

    fn check(&self, argument: &str) -> Result<(), String> {
        User::parse(argument).map(|_| ())
    }

    fn right(&self) -> (&'static str, &'static str) {
        ("create", "")
    }

    fn plan(&self, _: &[Seen], _: &str, _: &By) -> Result<Plan, String> {
        Err("a user is made with a key, which no plan holds".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_kubernetes_writes_them() {
        assert_eq!(seconds("24h"), Ok(86_400));
        assert_eq!(seconds("30d"), Ok(2_592_000));
        assert_eq!(seconds("600"), Ok(600));
        for wrong in ["5m", "", "h", "1w", "-1h", "999999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_user_is_told_in_one_line() {
        let user = User::parse("ci-bot group=dev group=ci expires=1h role=shop/deployer").unwrap();
        assert_eq!(
            (user.name.as_str(), user.groups.join(","), user.seconds),
            ("ci-bot", "dev,ci".into(), 3600)
        );
        assert_eq!(user.role, Some(("shop".into(), "deployer".into())));
        for wrong in
            ["", "group=dev", "a b", "a group=", "a role=x", "a expires=1m", "a colour=red"]
        {
            assert!(User::parse(wrong).is_err(), "{wrong}");
        }
    }
}
