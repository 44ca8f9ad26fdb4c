//! A child process that never outlives the test process and is ended by its pid.

use super::client;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::Duration;

/// A running program with its pid file.
pub struct Process {
    child: Child,
    pid_file: PathBuf,
}

impl Process {
    /// Starts a program with its output in `logs/NAME.log` and its pid in `pids/NAME.pid` of the folder.
    pub fn spawn(program: &Path, args: &[String], dir: &Path) -> Process {
        let name =
            program.file_name().expect("a program has a name").to_string_lossy().into_owned();
        let open =
            File::options().create(true).append(true).open(dir.join(format!("logs/{name}.log")));
        let log = open.expect("the slot's folder is ours");
        let mut command = Command::new(program);
        command
            .args(args)
            .env("KWOK_WORKDIR", dir.join("kwok"))
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be copied"))
            .stderr(log);
        let child = spawn_from_lasting_thread(command);
        let pid_file = dir.join(format!("pids/{name}.pid"));
        fs::write(&pid_file, format!("{}\n", child.id())).expect("the slot's folder is ours");
        Process { child, pid_file }
    }

    /// The process id; the process is not reaped, so the number cannot have been given to another one.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: kill(2) has no memory preconditions. The child is not reaped yet, so the pid is still its own.
        let sent = unsafe { libc::kill(self.pid() as libc::pid_t, signal) };
        assert_eq!(sent, 0, "signal {signal} to pid {}", self.pid());
    }

    /// SIGKILL, then waits for the end.
    pub fn kill(mut self) {
        // Both fail only when the process was already gone, which is what is asked for.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.pid_file);
    }

    /// SIGTERM, waits for the end, and SIGKILL after `patience`.
    pub fn stop(mut self, patience: Duration) {
        self.signal(libc::SIGTERM);
        let _ = client::poll(patience, || !self.is_alive(), || None);
        self.kill();
    }
}

/// Linux sends the parent-death signal when the *thread* that made the child ends, and test threads end with their test.
/// So one thread that lasts as long as the process makes them all.
fn spawn_from_lasting_thread(mut command: Command) -> Child {
    type Order = (Command, mpsc::Sender<std::io::Result<Child>>);
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    #[cfg(target_os = "linux")]
    // SAFETY: prctl(2) is async-signal-safe and touches no memory of ours between fork and exec.
    unsafe {
        command.pre_exec(|| {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, reply) in inbox {
                // The one who asked may have been unwound meanwhile.
                let _ = reply.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let name = format!("{:?}", command.get_program());
    let (reply, answer) = mpsc::channel();
    let orders = spawner.lock().expect("sending does not panic").clone();
    orders.send((command, reply)).expect("the spawner lasts as long as the process");
    let child = answer.recv().expect("the spawner answers every order");
    child.unwrap_or_else(|e| panic!("cannot start {name}: {e}"))
}

/// Runs a command to its end with a text on its standard input.
///
/// # Panics
/// When it does not end within the limit; it is killed first.
pub fn output_within(mut command: Command, input: &str, limit: Duration) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let name = format!("{command:?}");
    let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start {name}: {e}"));
    let mut stdin = child.stdin.take().expect("piped above");
    let (stdout, stderr) =
        (child.stdout.take().expect("piped above"), child.stderr.take().expect("piped above"));
    std::thread::scope(|scope| {
        let out = scope.spawn(|| read_all(stdout));
        let err = scope.spawn(|| read_all(stderr));
        scope.spawn(move || {
            // A program that does not read its input closes the pipe: no fault of the test.
            let _ = stdin.write_all(input.as_bytes());
        });
        let ended = client::poll(limit, || !matches!(child.try_wait(), Ok(None)), || None);
        if ended.is_err() {
            let _ = child.kill();
        }
        let status = child.wait().expect("the child was started above");
        let read = "reading a pipe does not panic";
        let (stdout, stderr) = (out.join().expect(read), err.join().expect(read));
        assert!(
            ended.is_ok(),
            "{name} did not end within {limit:?}: {}",
            String::from_utf8_lossy(&stderr)
        );
        Output { status, stdout, stderr }
    })
}

fn read_all(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before a broken pipe is still worth showing.
    let _ = pipe.read_to_end(&mut bytes);
    bytes
}
