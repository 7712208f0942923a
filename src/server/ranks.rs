//! The order in which routes are tried.

use rocket::Route;

/// The paths that are asked for most often. Rocket tries the routes of a method one after the other, those whose paths are
/// fixed first: a message would be compared with forty routes before its own, and a poll with all.
const OFTEN: [&str; 2] = ["/api/events", "/api/chats/<chat>"];
/// More than the ranks that Rocket gives by itself differ.
const AHEAD: isize = 20;

/// The same routes, of which those that are asked for often are tried before all others. None of the others may have
/// one of their paths.
pub(super) fn often_first(mut routes: Vec<Route>) -> Vec<Route> {
    for route in &mut routes {
        if OFTEN.contains(&route.uri.as_str()) {
            route.rank -= AHEAD;
        }
    }
    routes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dialect::messenger, gateway};

    /// Whether a path that a route has is one of the paths of another.
    fn is_of(path: &str, other: &str) -> bool {
        let parts: Vec<_> = path.split('/').collect();
        let others: Vec<_> = other.split('/').collect();
        let fits = |(part, other): (&&str, &&str)| {
            part == other || part.starts_with('<') || other.starts_with('<')
        };
        parts.len() == others.len() && parts.iter().zip(&others).all(fits)
    }

    #[test]
    fn what_is_asked_for_often_is_tried_first_and_hides_nothing() {
        let all = [gateway::http::routes(), messenger::routes::all()].concat();
        let before: Vec<_> = all.iter().map(|route| route.rank).collect();
        let after = often_first(all);
        let (often, others): (Vec<_>, Vec<_>) = after
            .iter()
            .zip(before)
            .partition(|(route, _)| OFTEN.contains(&route.uri.as_str()));
        assert_eq!(
            often.len(),
            6,
            "two ways to wait, and what is done with a chat"
        );
        for (route, before) in &often {
            assert_eq!(route.rank, before - AHEAD);
            for (other, _) in &others {
                let hides =
                    route.method == other.method && is_of(route.uri.path(), other.uri.path());
                assert!(!hides, "{route} hides {other}");
                assert!(route.rank < other.rank);
            }
        }
    }
}
