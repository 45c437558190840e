// SPDX-License-Identifier: MIT
//! Power cuts at every write and flush: nothing acknowledged is lost, nothing torn is believed.
//!
//! `CLOISTER_CRASH_SEQUENCES=20000 cargo test --release -p retrieval --test power_cuts` runs the full count.
mod sim;

use sim::disk::Flush;
use sim::sequence::Life;

fn sequences() -> u64 {
    std::env::var("CLOISTER_CRASH_SEQUENCES").ok().and_then(|n| n.parse().ok()).unwrap_or(400)
}

#[derive(Default, Debug)]
struct Totals {
    commits: u64,
    cuts: u64,
    fulls: u64,
    compactions: u64,
    torn: u64,
    one_superblock: u64,
}

fn live_through(seed: u64, totals: &mut Totals) {
    let (mut life, mut store) = Life::new(seed, Flush::Honest);
    for _ in 0..3 {
        let fuse = life.rng.below(300);
        life.disk.cut_after(Some(fuse));
        while life.step(&mut store) {}
        let restarted_only = life.rng.one_in(5);
        life.disk.cut_after(None);
        let (reopened, recovery) = life.restart(!restarted_only);
        assert!(recovery.damage.is_empty(), "seed {seed}: an honest disk was accused: {:?}", recovery.damage);
        totals.torn += u64::from(recovery.torn_tail);
        totals.one_superblock += u64::from(recovery.superblocks == 1);
        store = reopened;
        life.check(&mut store);
    }
    totals.commits += life.commits;
    totals.cuts += life.cuts;
    totals.fulls += life.fulls;
    totals.compactions += life.compactions;
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_torn_is_believed() {
    let mut totals = Totals::default();
    for seed in 0..sequences() {
        live_through(seed, &mut totals);
    }
    println!("{} sequences: {totals:?}", sequences());
    assert!(
        totals.torn > 0 && totals.one_superblock > 0 && totals.fulls > 0,
        "the simulation reaches these cases"
    );
}

/// Whether a lie could be seen is a matter of luck, unless there is a witness; what is believed is always whole.
#[test]
fn a_disk_that_lies_about_flushes_is_reported() {
    let (mut lost, mut named, mut accused) = (0, 0, 0);
    for seed in 0..sequences() {
        let lie = [1, 2, 10][(seed % 3) as usize];
        let (mut life, mut store) = Life::new(seed, Flush::Lies(lie));
        let fuse = 20 + life.rng.below(150);
        life.disk.cut_after(Some(fuse));
        while life.step(&mut store) {}
        let before = life.oracle.contents();
        life.disk.power_cut();
        let alone = retrieval::store::Store::open(life.disk.clone(), &life.options);
        let Ok((mut reopened, recovery)) = alone else { continue };
        let damage = !recovery.damage.is_empty();
        let whole = sim::sequence::contents(&mut reopened);
        let missing = reopened.sequence() < life.acknowledged || (whole != before && damage);
        lost += u64::from(missing);
        named += u64::from(missing && damage);
        accused += u64::from(!missing && damage);
        let witness = retrieval::store::Options { witness: Some(life.acknowledged), ..life.options };
        if reopened.sequence() < life.acknowledged {
            let (_, recovery) = retrieval::store::Store::open(life.disk.clone(), &witness).expect("opens");
            assert!(!recovery.damage.is_empty(), "seed {seed}: the witness was not heard");
        }
    }
    println!(
        "{lost} stores lost acknowledged frames; the disk alone gave {named} away; {accused} other reports"
    );
    assert!(lost > 0 && named * 10 >= lost * 5, "most lies leave a trace: {named} of {lost}");
}
