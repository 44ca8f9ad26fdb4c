//! What is kept of rows over time.
