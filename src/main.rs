//! `wheelhouse`, and `kubectl wheelhouse` when linked under that name.

#![deny(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

use clap::{CommandFactory, Parser};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use wheelhouse::app::cli::{
    Cli, Command, Failure, act, apf, csr, doctor, drain, exit, health, is_read, journal, kubelet,
    print, stream, stuck, top, why,
};
use wheelhouse::app::config::Config;
use wheelhouse::app::journal::Journal;
use wheelhouse::app::terminal::tty;
use wheelhouse::app::{log, memory, nap, run};
use wheelhouse::state::text::wrap;

fn main() -> ExitCode {
    memory::keep_large_blocks_apart();
    let mut cli = Cli::parse();
    if matches!(&cli.command, Some(Command::Csr(args)) if args.what.is_none()) {
        // The view has this name too.
        cli.command = None;
        cli.view = Some("csr".into());
    }
    if let Err(why) = log::start(cli.common.log_file.as_deref()) {
        return tell(exit::USAGE, &why);
    }
    // What touches no cluster has no use for it, and doctor tells what is wrong with it.
    let unruled = matches!(
        cli.command,
        Some(Command::Journal(_) | Command::Completions { .. } | Command::Man | Command::Doctor)
    );
    match Config::of_env() {
        Ok(config) => cli.common.config = Arc::new(config),
        Err(_) if unruled => {}
        Err(why) => return tell(exit::USAGE, &why),
    }
    match &cli.command {
        None => match run::run(&cli) {
            Ok(code) => ExitCode::from(code),
            Err(failure) => tell(failure.code, &failure.words),
        },
        Some(Command::Print(args)) if args.watch => {
            let mut out = std::io::stdout();
            let watched = headless(stream::stream(&cli.common, args, &mut out));
            printed(watched.map(|()| (String::new(), None)))
        }
        Some(Command::Print(args)) => printed(headless(print::print(&cli.common, args))),
        Some(Command::Act(args)) => printed(headless(act::act(&cli.common, args))),
        Some(Command::Csr(args)) => printed(headless(csr::csr(&cli.common, args))),
        Some(Command::Drain(args)) => printed(headless(drain::drain(&cli.common, args))),
        Some(Command::Stuck(desk)) => printed(headless(stuck::desk(&cli.common, desk))),
        Some(Command::Apf(args)) => {
            printed(headless(apf::apf(&cli.common, args, &mut std::io::stdout())))
        }
        Some(Command::Why(args)) => {
            printed(headless(why::why(&cli.common, args)).map(|page| (page, None)))
        }
        Some(Command::Health(args)) => {
            printed(headless(health::health(&cli.common, args, &mut std::io::stdout())))
        }
        Some(Command::Kubelet(args)) => printed(headless(kubelet::page(&cli.common, args))),
        Some(Command::Top(args)) => {
            let watched = headless(top::top(
                &cli.common,
                args,
                &mut std::io::stdout(),
                &mut std::io::stderr(),
            ));
            printed(watched.map(|missing| (String::new(), missing)))
        }
        Some(Command::Journal(args)) => printed(
            Journal::home().map_err(Failure::from).and_then(|home| journal::journal(&home, args)),
        ),
        Some(Command::Doctor) => {
            let (report, code) = headless(doctor::doctor(&cli.common));
            out(&report);
            ExitCode::from(code)
        }
        Some(Command::Completions { shell }) => {
            let mut script = vec![];
            clap_complete::generate(*shell, &mut Cli::command(), "wheelhouse", &mut script);
            out(&String::from_utf8_lossy(&script))
        }
        Some(Command::Man) => {
            let mut page = vec![];
            match clap_mangen::Man::new(Cli::command()).render(&mut page) {
                Ok(()) => out(&String::from_utf8_lossy(&page)),
                Err(why) => tell(exit::FAILED, &why.to_string()),
            }
        }
    }
}

fn headless<T>(work: impl Future<Output = T>) -> T {
    nap::runtime().expect("a process that gets no event queue cannot run at all").block_on(work)
}

/// Writes what a command found, then tells what is missing from it.
fn printed(found: Result<(String, Option<Failure>), Failure>) -> ExitCode {
    match found {
        Ok((text, missing)) => match (out(&text), missing) {
            (ExitCode::SUCCESS, Some(trouble)) => tell(trouble.code, &trouble.words),
            (code, _) => code,
        },
        Err(trouble) => tell(trouble.code, &trouble.words),
    }
}

/// Writes to standard output.
fn out(text: &str) -> ExitCode {
    match is_read(std::io::stdout().write_all(text.as_bytes())) {
        Err(failure) => tell(failure.code, &failure.words),
        Ok(_) => ExitCode::SUCCESS,
    }
}

fn tell(code: u8, words: &str) -> ExitCode {
    let mut out = std::io::stderr();
    let told = format!("wheelhouse: {}", words.trim_end());
    let told = match out.is_terminal() {
        true => wrap(&told, usize::from(tty::size().0).max(40)).join("\n"),
        false => told,
    };
    // Without a standard error there is nobody to tell.
    let _ = writeln!(out, "{told}");
    ExitCode::from(code)
}
