//! A program beside the gateway, and how a bench ends.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
};

/// Another program that serves; killed when dropped.
pub struct Server {
    pub process: Child,
    pub url: String,
}

impl Server {
    /// Starts it and reads the port that it prints.
    pub fn start(command: &mut Command) -> Result<Self, Box<dyn Error>> {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        let port: u16 = line.trim().parse().map_err(|_| format!("no port: {line:?}"))?;
        Ok(Self { process, url: format!("http://127.0.0.1:{port}/") })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Says what went wrong, if anything did.
pub fn done(result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
