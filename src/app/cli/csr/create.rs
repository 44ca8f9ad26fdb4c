//! `wheelhouse csr create`: a user made from a key that stays on this machine.

use super::{Connection, gvk, must_confirm, named};
use crate::actions::Wish;
use crate::actions::make_user::{self, User};
use crate::actions::plan::Danger;
use crate::app::cli::act::{DryRun, Output, Way, carry_out};
use crate::app::cli::{Common, Failure, exit};
use crate::app::cluster::fetch::get_object;
use crate::app::effects::change::prepare;
use crate::app::enrol::{Enrolment, Place, pinned, words};
use crate::state::rules::csr::pkcs10::chain;
use crate::state::text::clean;
use crate::state::ui::document::Target;
use clap::{Args, ValueEnum};
use secrecy::ExposeSecret;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Who is to be made, and how.
#[derive(Args, Debug, Clone)]
pub struct Create {
    /// User name: the common name of the certificate
    #[arg(value_name = "USER")]
    pub name: String,
    /// A group of the user; may be given more than once
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// Life of the certificate: 10m at least, 24h, 30d
    #[arg(long, default_value = "24h", value_parser = make_user::seconds)]
    pub expires: i64,
    /// Approve it too, after the same rules
    #[arg(long)]
    pub approve: bool,
    /// Bind this ClusterRole to the user in the whole cluster
    #[arg(long, value_name = "ROLE")]
    pub bind_clusterrole: Option<String>,
    /// Bind this Role to the user in the namespace of `-n`
    #[arg(long, value_name = "ROLE")]
    pub bind_role: Option<String>,
    /// Where the kubeconfig is written, for the owner alone [default: USER.kubeconfig]
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Replace that file if it is there
    #[arg(long)]
    pub force: bool,
    /// How long to wait for the certificate, in seconds
    #[arg(long, default_value_t = 60)]
    pub wait: u64,
    /// kubeconfig: print it instead of writing it into a file
    #[arg(short, long, value_enum, default_value_t = Form::Words)]
    pub output: Form,
    /// Do it without asking
    #[arg(short, long)]
    pub yes: bool,
    /// What has to be typed on a protected context; the user's name for a request that is red
    #[arg(long, value_name = "WORD")]
    pub confirm: Option<String>,
    /// client: say what would be sent; server: send it so that the server only checks it
    #[arg(long, value_enum, default_value_t = DryRun::None)]
    pub dry_run: DryRun,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// What was done.
    Words,
    /// The kubeconfig, with the key.
    Kubeconfig,
}

/// Makes the user.
///
/// # Errors
/// As [`super::csr`]. What was begun is told.
pub async fn create(common: &Common, args: &Create) -> Result<(String, Option<Failure>), Failure> {
    let refused = |words: String| Failure { code: exit::REFUSED, words };
    let connection = common.open().await?;
    let home = common.connect.namespace.clone().unwrap_or(connection.cluster.home.clone());
    let made = Enrolment::new(User {
        name: args.name.clone(),
        groups: args.groups.clone(),
        seconds: args.expires,
        cluster_role: args.bind_clusterrole.clone(),
        role: args.bind_role.clone().map(|role| (home, role)),
    });
    let made = made.map_err(Failure::usage)?;
    let file = args.file.clone().unwrap_or_else(|| made.file_name().into());
    let dry = args.dry_run != DryRun::None;
    let place = match args.output {
        Form::Words if !dry => {
            let place = Place::take(&file, args.force);
            Some(place.map_err(|why| refused(format!("nothing was done: {why}")))?)
        }
        _ => None,
    };
    let plan = made.plan().map_err(Failure::failed)?;
    let (mut text, failure) = carry_out(&connection, plan, &way(args, None)).await?;
    if failure.is_some() || dry {
        return Ok((text, failure));
    }
    if args.approve {
        let (told, failure) = approve(&connection, args, &made.request).await?;
        text += &told;
        if failure.is_some() {
            return Ok((text, failure));
        }
    } else {
        // The only way to tell it while it waits. Without a standard error there is nobody to tell.
        let name = &made.request;
        let _ = writeln!(std::io::stderr(), "waiting for {name} to be approved, {} s", args.wait);
    }
    let patience = Duration::from_secs(args.wait);
    let certificate = made.certificate(&connection.client, patience).await.map_err(|why| {
        let words = format!(
            "{}: {why}. Its key is gone with this run: deny the request, or delete it, and ask again",
            made.request
        );
        Failure { code: exit::INCOMPLETE, words }
    })?;
    let kubeconfig = pinned(&connection).and_then(|there| made.kubeconfig(&there, &certificate));
    let kubeconfig = kubeconfig.map_err(Failure::failed)?;
    let Some(place) = place else { return Ok((kubeconfig.expose_secret().to_owned(), None)) };
    place.fill(&kubeconfig).map_err(Failure::failed)?;
    if let Some(cert) = chain(&certificate).first() {
        text += &format!("issued: {}\n", clean(&words(cert)));
    }
    text += &format!("{} holds key and certificate, for you alone\n", file.display());
    Ok((text, None))
}

fn way(args: &Create, confirm: Option<String>) -> Way {
    let confirm = confirm.or_else(|| args.confirm.clone());
    Way { yes: args.yes, confirm, dry_run: args.dry_run, output: Output::Words }
}

/// Approves what was just submitted, by the same rules as anything else.
async fn approve(
    connection: &Connection,
    args: &Create,
    name: &str,
) -> Result<(String, Option<Failure>), Failure> {
    let object = get_object(&connection.client, &named(name)).await;
    let object = object.map_err(|fault| Failure::failed(format!("{name}: {fault}")))?;
    let wish = Wish {
        action: "approve",
        targets: vec![Target::of(gvk(), &object)],
        argument: "made with wheelhouse csr create".into(),
    };
    let plan = prepare(&connection.upstream, &wish, &connection.cluster, connection.now()).await;
    let words = |why: String| format!("{name} was submitted and is not approved: {why}");
    let plan = plan.map_err(|why| Failure { code: exit::INCOMPLETE, words: words(why) })?;
    // The name of the request was not known when the command was typed: the user's stands for it.
    let word = match &plan.danger {
        Danger::Destructive(word)
            if !connection.cluster.protected && args.confirm.as_ref() == Some(&args.name) =>
        {
            Some(word.clone())
        }
        _ => None,
    };
    let way = way(args, word);
    let incomplete = |failure: Failure| Failure {
        code: exit::INCOMPLETE,
        words: words(failure.words.replace(name, &args.name)),
    };
    must_confirm(&plan, &way).map_err(incomplete)?;
    carry_out(connection, plan, &way).await.map_err(incomplete)
}
