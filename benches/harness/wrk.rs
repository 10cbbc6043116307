//! Load by wrk, one thread, bounded in time.

use std::{fmt::Write, io, path::Path, process::Command};

/// What one run showed.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Answers a second.
    pub rate: f64,
    /// Answers.
    pub calls: f64,
    /// The median time to an answer, in microseconds.
    pub p50_us: f64,
}

/// A request that wrk repeats.
pub struct Request {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// Writes the script that sends it.
    pub fn script(&self, file: &Path) -> io::Result<()> {
        std::fs::write(file, self.lua())
    }

    /// The same with another id each time in this header, as SDKs send one with every call.
    pub fn script_with_ids(&self, header: &str, file: &Path) -> io::Result<()> {
        let mut lua = self.lua();
        let _ = write!(
            lua,
            "local base, number = tostring(os.time()) .. \"-\" .. tostring({{}}):sub(-8), 0\nfunction request()\n  number = number + 1\n  \
             wrk.headers[\"{header}\"] = base .. \"-\" .. number\n  return wrk.format()\nend\n"
        );
        std::fs::write(file, lua)
    }

    fn lua(&self) -> String {
        let mut lua = String::from("wrk.method = \"POST\"\n");
        let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        for (name, value) in &self.headers {
            let _ = writeln!(lua, "wrk.headers[\"{}\"] = \"{}\"", quote(name), quote(value));
        }
        let _ = writeln!(lua, "wrk.body = \"{}\"", quote(&self.body));
        lua
    }
}

/// Runs wrk for `seconds` over `connections`. Every answer must be a success.
pub fn run(url: &str, script: &Path, connections: u32, seconds: u32) -> io::Result<Run> {
    let (run, refused) = run_whatever(url, script, connections, seconds)?;
    if refused > 0.0 {
        return Err(io::Error::other(format!("{refused} of {} answers were refusals", run.calls)));
    }
    Ok(run)
}

/// The same whatever the answers are; how many were refusals stands beside.
pub fn run_whatever(url: &str, script: &Path, connections: u32, seconds: u32) -> io::Result<(Run, f64)> {
    let output = Command::new("wrk")
        .args(["-t1", "--latency", &format!("-c{connections}"), &format!("-d{seconds}s"), "-s"])
        .arg(script)
        .arg(url)
        .output()
        .map_err(|error| io::Error::other(format!("wrk did not start ({error}): apt-get install wrk")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(io::Error::other(format!(
            "the load failed:\n{text}{}",
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    let value = |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    let rate = value("Requests/sec:").and_then(|text| text.parse().ok());
    let calls = text
        .lines()
        .find_map(|line| line.split_once(" requests in "))
        .and_then(|(calls, _)| calls.trim().parse().ok());
    let p50_us = value("50%").and_then(microseconds);
    match (rate, calls, p50_us) {
        (Some(rate), Some(calls), Some(p50_us)) => {
            let refused = value("Non-2xx or 3xx responses:").and_then(|text| text.parse().ok());
            Ok((Run { rate, calls, p50_us }, refused.unwrap_or(0.0)))
        }
        _ => Err(io::Error::other(format!("wrk printed no figures:\n{text}"))),
    }
}

fn microseconds(text: &str) -> Option<f64> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let scale = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * scale)
}
