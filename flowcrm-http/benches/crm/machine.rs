//! What the machine and a process on it say of themselves, by way of `/proc`.

use std::fs;
use std::time::Duration;

/// The model of the processor.
pub(crate) fn processor() -> Option<String> {
    field("/proc/cpuinfo", "model name")
}

/// Memory of a process in megabytes of 1,000,000 bytes: `VmRSS`, what it holds, or `VmHWM`, the most it has held.
pub(crate) fn megabytes(process: u32, what: &str) -> Option<f64> {
    let kibibytes = field(&format!("/proc/{process}/status"), what)?;
    let kibibytes: f64 = kibibytes.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1_024.0 / 1_000_000.0)
}

/// The processor time that a process has used so far, in all its threads.
pub(crate) fn processor_time(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name in parentheses, utime and stime are the 12th and 13th field (proc_pid_stat(5)).
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<u64> =
        fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
    // Linux counts a hundred ticks a second on every architecture it is used on (time(7)).
    Some(Duration::from_millis(ticks.iter().sum::<u64>() * 10))
}

/// What stands behind a name and a colon in a file of such lines.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}
