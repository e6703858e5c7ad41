//! A program that runs, and what it leaves behind.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::wait_for;

/// A running program, killed when dropped.
pub struct Running {
    child: Child,
    stdout: Collected,
    stderr: Collected,
}

/// What a program that has ended left behind.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// All it wrote to stdout.
    pub stdout: String,
    /// All it wrote to stderr.
    pub stderr: String,
}

/// A pipe that a thread empties, so that the program never waits for its reader.
struct Collected {
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a program whose input is empty.
    pub fn start(command: &mut Command) -> Self {
        Self::start_with_input(command, "")
    }

    /// Starts a program that may read `input`, which has to fit a pipe.
    pub fn start_with_input(command: &mut Command, input: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        // A program that reads nothing may be gone already.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let stdout = Collected::from(child.stdout.take().expect("stdout is a pipe"));
        let stderr = Collected::from(child.stderr.take().expect("stderr is a pipe"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Starts a program whose output goes into a pipe that nobody reads any more.
    pub fn start_unheard(command: &mut Command) -> Self {
        let (reader, writer) = std::io::pipe().expect("there can be one more pipe");
        drop(reader);
        let output = writer.try_clone().expect("there can be one more end of it");
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(writer)
            .spawn();
        Self {
            child: child.unwrap_or_else(|error| panic!("{command:?} does not start: {error}")),
            stdout: Collected::from(std::io::empty()),
            stderr: Collected::from(std::io::empty()),
        }
    }

    /// The first line of stdout, so far, that `wanted` takes.
    pub fn find_line<T>(&self, wanted: impl Fn(&str) -> Option<T>) -> Option<T> {
        let lines = self.stdout.lines.lock().unwrap();
        lines.iter().find_map(|line| wanted(line))
    }

    /// The exit status, if it has ended.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Sends a signal by name (`TERM`, `INT`).
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("there is a `kill`").success());
    }

    /// kill -9, and waits until the process is gone.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Every line of stdout, once the process is gone.
    pub fn output(&mut self) -> String {
        self.stdout.all()
    }

    /// Waits until it ends.
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        let status = wait_for("the end of a program", || self.status());
        Ended {
            code: status.code(),
            stdout: self.stdout.all(),
            stderr: self.stderr.all(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Collected {
    fn from(pipe: impl Read + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let filled = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                filled.lock().unwrap().push(line);
            }
        });
        Self {
            lines,
            reader: Some(reader),
        }
    }

    /// Everything, after the program has ended.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        self.lines.lock().unwrap().join("\n")
    }
}

impl Ended {
    /// Checks that all went well, and gives stdout.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// Checks that the program failed with `code` and said why in one sentence, which holds
    /// `words`, and in which it did not confess a bug.
    #[track_caller]
    pub fn failed(&self, code: i32, words: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let lines: Vec<_> = self.stderr.lines().collect();
        let [sentence] = lines[..] else {
            panic!("not one sentence: {self:?}");
        };
        assert!(sentence.starts_with("error: "), "{sentence}");
        assert!(
            sentence.contains(words),
            "\"{words}\" is not in: {sentence}"
        );
        assert!(!sentence.contains("bug"), "{sentence}");
    }

    /// Checks that the command line was refused, with `words` in what was said.
    #[track_caller]
    pub fn misused(&self, words: &str) {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert!(
            self.stderr.contains(words),
            "\"{words}\" is not in: {self:?}"
        );
        assert!(!self.stderr.contains("panicked"), "{self:?}");
    }
}
