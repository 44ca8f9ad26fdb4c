//! Priority and fairness of the API server: what its dumps say, which schema catches a request, how many seats a
//! level has, and a level's state in words. The server's own rules are in apiserver `pkg/util/flowcontrol`.

pub mod board;
pub mod catch;
pub mod dump;
pub mod metrics;
pub mod question;
pub mod schema;
pub mod seats;
pub mod verdict;

#[cfg(test)]
mod tests;
