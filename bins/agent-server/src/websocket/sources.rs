//! Connections whose owners have yet to say who they are, counted by where they come from.

use agent_limits::network_of;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many there are from each network.
#[derive(Default)]
pub(crate) struct Sources(Mutex<HashMap<IpAddr, usize>>);

/// One that is counted.
pub(crate) struct Unproven {
    sources: Arc<Sources>,
    network: IpAddr,
}

impl Sources {
    /// Counts one more, unless there are `most` from there already.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Unproven> {
        let network = network_of(address);
        let mut counts = self.lock();
        let count = counts.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Unproven { sources: Arc::clone(self), network })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Unproven {
    fn drop(&mut self) {
        let mut counts = self.sources.lock();
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_has_its_own_count_and_whoever_leaves_makes_room() {
        let sources = Arc::new(Sources::default());
        let [here, neighbour, elsewhere]: [IpAddr; 3] =
            ["2001:db8::1", "2001:db8::2", "192.0.2.1"].map(|text| text.parse().unwrap());
        let first = sources.admit(here, 2);
        let second = sources.admit(neighbour, 2);
        assert!(first.is_some() && second.is_some());
        assert!(sources.admit(here, 2).is_none());
        assert!(sources.admit(elsewhere, 2).is_some());
        drop(first);
        assert!(sources.admit(here, 2).is_some());
        drop(second);
        assert!(sources.lock().is_empty());
    }
}
