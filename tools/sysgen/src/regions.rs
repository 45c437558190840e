//! Rules on who may see which memory region, and where regions lie.
//!
//! One design rule: the right to write is exclusive. PDs that must write one region together are named in a
//! `<?cloister trust-domain="…"?>` directive, so that sharing is visible in the description.

use crate::model::{Location, Map, ProtectionDomain, System};
use crate::parse::Purpose;
use crate::problem::Problems;

/// Checks all regions. Who may share one is Cloister's rule and does not matter for a report.
pub fn check(system: &System, purpose: Purpose, problems: &mut Problems) {
    physical(system, problems);
    if purpose == Purpose::Report {
        return;
    }
    for region in 0..system.regions.len() {
        let all = system.pds.iter().enumerate();
        let users = all.flat_map(|(index, pd)| pd.maps.iter().map(move |map| User { index, pd, map }));
        let users: Vec<_> = users.filter(|user| user.map.region == region).collect();
        match system.regions[region].location {
            Location::Device(_) => device(system, region, &users, problems),
            _ => one_writer(system, region, &users, problems),
        }
        write_or_execute(system, region, &users, problems);
    }
}

struct User<'a> {
    index: usize,
    pd: &'a ProtectionDomain,
    map: &'a Map,
}

fn physical(system: &System, problems: &mut Problems) {
    let mut seen: Vec<(u64, u64, &str)> = Vec::new();
    for region in &system.regions {
        let (Location::Ram(start) | Location::Device(start)) = region.location else { continue };
        let end = start + region.size;
        if let Some((first, last, other)) = seen.iter().find(|(first, last, _)| start < *last && *first < end)
        {
            let text =
                format!("<memory_region> attribute 'phys_addr' of '{}': {start:#x}..{end:#x}", region.name);
            problems
                .at(&region.place, format!("{text} overlaps '{other}' at {first:#x}..{last:#x}; move one"));
        }
        seen.push((start, end, &region.name));
    }
}

fn device(system: &System, region: usize, users: &[User], problems: &mut Problems) {
    let name = &system.regions[region].name;
    if let [first, others @ ..] = users {
        for other in others {
            let text = format!(
                "<map> attribute 'mr' of PD '{}': device region '{name}' is mapped by",
                other.pd.name
            );
            let hint = format!("'{}' already; one PD owns a device: ask it through a channel", first.pd.name);
            problems.at(&other.map.place, format!("{text} {hint}"));
        }
    }
    for user in users.iter().filter(|user| user.map.cached) {
        let text = format!("<map> attribute 'cached' of PD '{}': device region '{name}'", user.pd.name);
        problems.at(&user.map.place, format!("{text} must not be cached; add cached=\"false\""));
    }
}

fn one_writer(system: &System, region: usize, users: &[User], problems: &mut Problems) {
    let writers: Vec<_> = users.iter().filter(|user| user.map.permissions.write).collect();
    let trusted = |domain: &Vec<usize>| writers.iter().all(|user| domain.contains(&user.index));
    let Some(first) = writers.first() else { return };
    if system.trust_domains.iter().any(trusted) {
        return;
    }
    for other in writers.iter().filter(|user| user.index != first.index) {
        let name = &system.regions[region].name;
        let text =
            format!("<map> attribute 'perms' of PD '{}': region '{name}' has a writer,", other.pd.name);
        let hint = "map it perms=\"r\", use a second region for the way back, or name both in one";
        let directive = "<?cloister trust-domain=\"…\"?>";
        problems.at(&other.map.place, format!("{text} '{}'; {hint} {directive}", first.pd.name));
    }
}

fn write_or_execute(system: &System, region: usize, users: &[User], problems: &mut Problems) {
    let writer = users.iter().find(|user| user.map.permissions.write);
    let runner = users.iter().find(|user| user.map.permissions.execute);
    if let (Some(writer), Some(runner)) = (writer, runner) {
        if std::ptr::eq(writer.map, runner.map) {
            return;
        }
        let name = &system.regions[region].name;
        let text =
            format!("<map> attribute 'perms' of PD '{}': region '{name}' is executable here", runner.pd.name);
        problems
            .at(&runner.map.place, format!("{text} and writable in '{}' (W^X); drop x or w", writer.pd.name));
    }
}
