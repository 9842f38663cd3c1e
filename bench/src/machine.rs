//! The machine that a figure was measured on, in the words that figures are compared by.

use std::fmt;

use serde::Serialize;

/// Cores, memory and processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory in bytes; 0 where the system does not say.
    pub memory_bytes: u64,
    /// The processor's name; empty where the system does not say.
    pub processor: String,
}

impl Machine {
    /// Asks the system.
    pub fn here() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: field_kib(&read("/proc/meminfo"), "MemTotal").unwrap_or(0) * 1024,
            processor: processor(&read("/proc/cpuinfo")),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gigabytes = self.memory_bytes.div_ceil(1 << 30);
        write!(out, "{} cores, {gigabytes} GB", self.cores)
    }
}

/// A value in KiB from a text of `Name:  123 kB` lines, as the kernel writes them.
pub fn field_kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn processor(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "VmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\nRssAnon:\t 7 kB\n";
        assert_eq!(field_kib(text, "VmRSS"), Some(1024));
        assert_eq!(field_kib(text, "Vm"), None);
        assert_eq!(field_kib("VmRSS: unknown", "VmRSS"), None);
    }

    #[test]
    fn a_machine_is_named_by_cores_and_memory() {
        let machine =
            Machine { cores: 2, memory_bytes: 23 * (1 << 30) + 5, processor: String::new() };
        assert_eq!(machine.to_string(), "2 cores, 24 GB");
        assert_eq!(processor("x\nmodel name\t: Acme 9000\n"), "Acme 9000");
    }
}
