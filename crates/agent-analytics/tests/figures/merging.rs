//! Figures of parts add up to figures of the whole.

use agent_analytics::{Durations, Welford};
use proptest::prelude::*;

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * left.abs().max(right.abs()).max(1.0)
}

/// Mean and sample deviation by definition, in two passes.
fn direct(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = if values.len() < 2 { 0.0 } else { (squares / (values.len() - 1) as f64).sqrt() };
    (mean, deviation)
}

fn parts(values: &[f64], cuts: &[usize]) -> Vec<Vec<f64>> {
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut % (values.len() + 1)).collect();
    bounds.extend([0, values.len()]);
    bounds.sort_unstable();
    bounds.windows(2).map(|pair| values[pair[0]..pair[1]].to_vec()).collect()
}

proptest! {
    #[test]
    fn any_split_merged_in_any_order_equals_the_direct_computation(
        values in prop::collection::vec(0.0..100_000.0_f64, 0..200),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
        backwards in any::<bool>(),
    ) {
        let mut pieces: Vec<Welford> =
            parts(&values, &cuts).into_iter().map(|part| part.into_iter().collect()).collect();
        if backwards {
            pieces.reverse();
        }
        let mut merged = Welford::default();
        pieces.iter().for_each(|piece| merged.merge(piece));
        let (mean, deviation) = direct(&values);
        prop_assert_eq!(merged.count(), values.len() as u64);
        prop_assert!(close(merged.mean(), mean), "{} {}", merged.mean(), mean);
        prop_assert!(close(merged.sample_deviation(), deviation), "{} {}", merged.sample_deviation(), deviation);
    }

    #[test]
    fn percentiles_of_merged_parts_are_those_of_the_whole(
        values in prop::collection::vec(0.0..1_000.0_f64, 1..=64),
        cuts in prop::collection::vec(any::<usize>(), 0..4),
        percent in 0_u8..=100,
    ) {
        let whole: Durations = values.iter().copied().collect();
        let mut merged = Durations::default();
        for part in parts(&values, &cuts) {
            merged.merge(&part.into_iter().collect());
        }
        prop_assert_eq!(merged.percentile(percent), whole.percentile(percent));
        let reached = whole.percentile(percent);
        let within = values.iter().filter(|value| **value <= reached).count();
        let below = values.iter().filter(|value| **value < reached).count();
        prop_assert!(within * 100 >= usize::from(percent) * values.len());
        prop_assert!(below == 0 || below * 100 < usize::from(percent) * values.len());
        prop_assert!(merged.min() <= reached && reached <= merged.max());
    }
}

#[test]
fn a_large_offset_does_not_drown_the_spread() {
    let welford: Welford = [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0].into_iter().collect();
    assert_eq!(welford.sample_variance(), 30.0);
}
