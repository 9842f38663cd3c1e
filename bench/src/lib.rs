//! What the figures of the product are made from: records, statistics and the lines that are printed.
//!
//! Nothing here touches the lake or a server, so that the tests of this library stay small. The figures
//! themselves are the program beside it, one file each under `figures`.

pub mod corpus;
pub mod machine;
pub mod report;
pub mod samples;
