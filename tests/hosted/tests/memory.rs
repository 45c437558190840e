//! Permissions of the system description hold: a write that it forbids faults.

use tests_hosted::{System, description};

#[test]
fn a_store_through_every_read_only_mapping_faults_and_through_a_writable_one_does_not() {
    let system = System::new(description(1, &[]), 1);
    let (mut read_only, mut writable) = (0, 0);
    for pd in &system.description().pds {
        for map in system.wiring(&pd.name).maps() {
            let faults = map.mapping.store_faults();
            assert_eq!(faults, !map.mapping.is_writable(), "{} in {}", map.region, pd.name);
            if faults { read_only += 1 } else { writable += 1 }
        }
    }
    assert!(read_only > 20 && writable > 20, "{read_only} read-only and {writable} writable mappings");
}

#[test]
fn compute_cannot_write_the_weights_but_sees_what_the_loader_writes() {
    let system = System::new(description(1, &[]), 1);
    let loader = system.wiring("loader").writable("weights").expect("the loader writes the weights");
    assert!(system.wiring("compute").writable("weights").is_none());
    loader.store(7, 0x1234_5678, std::sync::atomic::Ordering::Relaxed);
    let seen = system.wiring("compute").readable("weights").expect("compute reads the weights");
    assert_eq!(seen.load(7, std::sync::atomic::Ordering::Relaxed), 0x1234_5678);
}

#[test]
fn an_exclusive_region_is_handed_out_once() {
    let system = System::new(description(1, &[]), 1);
    assert!(system.wiring("compute").exclusive("kv_cache").is_some());
    assert!(system.wiring("compute").exclusive("kv_cache").is_none());
    assert!(system.wiring("compute").exclusive("weights").is_none(), "others map it");
}
