//! Requests, by route, method and class of status.

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

/// Upper bounds of durations, in seconds.
const BOUNDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Methods that are told apart; all others are counted together.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const OTHER_METHOD: &str = "OTHER";
/// The route of what no operation takes: a path that does not exist.
const UNMATCHED: &str = "unmatched";
/// Classes of status codes.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    route: Arc<str>,
    status: &'static str,
}

/// How long a route takes to answer, by class of status.
struct Route {
    pattern: Arc<str>,
    classes: [OnceLock<Histogram>; CLASSES.len()],
}

/// The routes of one method, by the name of their operation. There are as many as the program has operations, whatever
/// is asked for.
type Routes = RwLock<HashMap<Box<str>, Arc<Route>>>;

/// Counts requests.
pub(crate) struct Requests {
    durations: Family<Labels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    known: [Routes; METHODS.len() + 1],
}

impl Default for Requests {
    fn default() -> Self {
        let durations = Family::new_with_constructor((|| Histogram::new(BOUNDS)) as fn() -> Histogram);
        Self { durations, in_flight: Gauge::default(), known: Default::default() }
    }
}

/// A request that is being answered, for as long as it lives.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Requests {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "http_request_duration",
            "Time from the head of a request to the head of its answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests that are being answered",
            self.in_flight.clone(),
        );
    }

    /// A request begins to be answered.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// A request was answered; `routed` is what the router made of it. Yields the pattern of its route.
    pub(crate) fn answered(
        &self,
        method: &Method,
        routed: &HttpRequest,
        status: StatusCode,
        took: Duration,
    ) -> Arc<str> {
        let index = METHODS.iter().position(|known| *known == method.as_str()).unwrap_or(METHODS.len());
        let route = self.route(index, routed);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        let (Some(place), Some(status)) = (route.classes.get(class), CLASSES.get(class)) else {
            return Arc::clone(&route.pattern);
        };
        let duration = place.get_or_init(|| {
            let method = METHODS.get(index).copied().unwrap_or(OTHER_METHOD);
            let labels = Labels { method, route: Arc::clone(&route.pattern), status };
            self.durations.get_or_create_owned(&labels)
        });
        duration.observe(took.as_secs_f64());
        Arc::clone(&route.pattern)
    }

    fn route(&self, method: usize, routed: &HttpRequest) -> Arc<Route> {
        let name = routed.match_name().unwrap_or_default();
        let Some(routes) = self.known.get(method) else { return Arc::new(Route::new(UNMATCHED)) };
        // A panic while the map is held leaves it whole: each use is a single operation on it.
        if let Some(route) = routes.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(route);
        }
        let pattern = (!name.is_empty()).then(|| routed.match_pattern()).flatten();
        let route = Arc::new(Route::new(pattern.as_deref().unwrap_or(UNMATCHED)));
        let mut routes = routes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(name.into()).or_insert(route))
    }
}

impl Route {
    fn new(pattern: &str) -> Self {
        Self { pattern: pattern.into(), classes: Default::default() }
    }
}
