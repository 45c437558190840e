//! The repository's own `system.xml` passes every check, alone and on fewer cores.

mod common;

use common::BOARD;
use std::path::Path;
use tools_sysgen::{Description, SearchPath, System};

fn resolved(edit: impl FnOnce(&mut Description)) -> System {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../system.xml");
    let mut description = Description::read(&path).unwrap();
    edit(&mut description);
    description.resolve(&BOARD, &SearchPath::default()).unwrap_or_else(|problems| panic!("\n{problems}"))
}

#[test]
fn the_system_is_clean_and_no_two_domains_write_one_region() {
    let system = resolved(|_| {});
    assert!(system.warnings.is_empty(), "{:?}", system.warnings);
    assert!(system.trust_domains.is_empty());
    assert!(system.pds.len() >= 8);
}

#[test]
fn each_number_of_cores_has_that_many_compute_workers() {
    for cores in 1..=4 {
        let system = resolved(|description| description.limit_cores(cores));
        let workers = system.pds.iter().filter(|pd| pd.name.starts_with("compute")).count();
        assert_eq!((system.cores(), workers), (cores, usize::from(cores)));
    }
}
