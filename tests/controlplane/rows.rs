//! kubectl's own table, read back into rows.

use super::ControlPlane;
use std::collections::BTreeMap;

/// A line of `kubectl get`: column heading to cell.
pub type Row = BTreeMap<String, String>;

impl ControlPlane {
    /// The rows of `kubectl get RESOURCE -A`, with `-o wide` when asked for.
    ///
    /// # Panics
    /// When kubectl fails.
    pub fn kubectl_rows(&self, resource: &str, wide: bool) -> Vec<Row> {
        // In chunks, kubectl would align the columns of each chunk anew.
        let mut args = vec!["get", resource, "-A", "--chunk-size=0"];
        if wide {
            args.extend(["-o", "wide"]);
        }
        let out = self.kubectl(&args);
        assert!(out.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        rows(&String::from_utf8(out.stdout).expect("kubectl prints UTF-8"))
    }
}

/// Cells may be empty and headings hold single blanks, so a column is where its heading starts after two blanks.
pub fn rows(table: &str) -> Vec<Row> {
    let mut lines = table.lines();
    let Some(header) = lines.next().map(|line| line.chars().collect::<Vec<_>>()) else {
        return Vec::new();
    };
    let starts: Vec<usize> = (0..header.len())
        .filter(|&i| header[i] != ' ' && (i == 0 || header[..i].ends_with(&[' ', ' '])))
        .collect();
    let cells = |line: &[char]| -> Vec<String> {
        let end = |k: usize| starts.get(k + 1).copied().unwrap_or(usize::MAX).min(line.len());
        let cell = |(k, &start): (usize, &usize)| line.get(start..end(k)).unwrap_or_default();
        starts
            .iter()
            .enumerate()
            .map(cell)
            .map(|c| c.iter().collect::<String>().trim_end().to_owned())
            .collect()
    };
    let names = cells(&header);
    lines
        .map(|line| names.iter().cloned().zip(cells(&line.chars().collect::<Vec<_>>())).collect())
        .collect()
}
