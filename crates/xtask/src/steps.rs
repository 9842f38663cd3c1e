//! Runs named steps one after the other, with the time that each took.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// The steps done so far.
pub(crate) struct Steps {
    started: Instant,
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Starts the clock.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), done: Vec::new() }
    }

    /// Runs one step; its error names it.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        println!("==> {name}");
        let started = Instant::now();
        let answer = work().with_context(|| format!("step `{name}` failed"))?;
        let took = started.elapsed();
        println!("<== {name}: {:.1} s", took.as_secs_f64());
        self.done.push((name, took));
        Ok(answer)
    }

    /// Prints the times of all steps.
    pub(crate) fn finish(self) {
        println!();
        for (name, took) in &self.done {
            println!("{:>8.1} s  {name}", took.as_secs_f64());
        }
        println!("{:>8.1} s  all steps passed", self.started.elapsed().as_secs_f64());
    }
}
