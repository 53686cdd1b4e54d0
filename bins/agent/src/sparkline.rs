//! Counts over time as a row of small bars.

/// From the smallest bar to the tallest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar for each count, in proportion to the largest; a dot where there is nothing.
pub(crate) fn sparkline(counts: impl IntoIterator<Item = u64>) -> String {
    let counts: Vec<u64> = counts.into_iter().collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    let bar = |count: &u64| {
        // What is there is seen, however small it is beside the rest.
        let height = (u128::from(*count) * 8).div_ceil(u128::from(most.max(1))).clamp(1, 8);
        let bar = usize::try_from(height - 1).ok().and_then(|index| BARS.get(index));
        if *count == 0 { '·' } else { bar.copied().unwrap_or('█') }
    };
    counts.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_nothing_is_a_dot() {
        assert_eq!(sparkline([0, 1, 2, 4, 8]), "·▁▂▄█");
        assert_eq!(sparkline([1, 1_000_000]), "▁█");
        assert_eq!(sparkline([0, 0]), "··");
        assert_eq!(sparkline([u64::MAX, 1]), "█▁");
        assert_eq!(sparkline([]), "");
    }
}
