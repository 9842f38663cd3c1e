//! The binary: a Lambda function where the runtime's API is there, else a daemon.

fn main() {}
