//! Overlays and edits change what they name and nothing else.

mod common;

use common::{BOARD, folder, resolve};
use tools_sysgen::{Description, SearchPath, System};

const SYSTEM: &str = r#"<system>
    <?cloister trust-domain="compute compute_1 compute_2"?>
    <memory_region name="scratch" size="0x1000" />
    <memory_region name="work_1" size="0x1000" />
    <memory_region name="work_2" size="0x1000" />
    <memory_region name="weights" size="0x200000" page_size="0x200000" />
    <protection_domain name="supervisor" priority="200">
        <program_image path="pd.elf" />
        <protection_domain name="compute" id="1" priority="10">
            <program_image path="pd.elf" />
            <map mr="scratch" vaddr="0x1000000" />
            <map mr="weights" vaddr="0x40000000" perms="r" />
        </protection_domain>
        <protection_domain name="compute_1" id="2" priority="10" cpu="1">
            <program_image path="pd.elf" />
            <map mr="scratch" vaddr="0x1000000" />
            <map mr="work_1" vaddr="0x2000000" />
        </protection_domain>
        <protection_domain name="compute_2" id="3" priority="10" cpu="2">
            <program_image path="pd.elf" />
            <map mr="scratch" vaddr="0x1000000" />
            <map mr="work_2" vaddr="0x2000000" />
        </protection_domain>
    </protection_domain>
    <channel><end pd="compute" id="1" /><end pd="compute_1" id="0" /></channel>
    <channel><end pd="compute" id="2" /><end pd="compute_2" id="0" /></channel>
</system>"#;

fn edited(edit: impl FnOnce(&mut Description)) -> System {
    let mut description = Description::parse("system.xml", SYSTEM).unwrap();
    edit(&mut description);
    description.resolve(&BOARD, &SearchPath::default()).unwrap()
}

fn overlaid(overlay: &str) -> Result<System, String> {
    let mut description = Description::parse("system.xml", SYSTEM).unwrap();
    description.overlay("overlay.xml", overlay).map_err(|problems| problems.to_string())?;
    let resolved = description.resolve(&BOARD, &SearchPath::default());
    resolved.map_err(|problems| problems.to_string())
}

fn names(system: &System) -> Vec<&str> {
    system.pds.iter().map(|pd| pd.name.as_str()).collect()
}

#[test]
fn fewer_cores_drop_workers_with_their_channels_regions_and_trust() {
    let system = edited(|description| description.limit_cores(2));
    assert_eq!(names(&system), ["supervisor", "compute", "compute_1"]);
    assert_eq!(system.channels.len(), 1);
    assert!(system.region("work_1").is_some() && system.region("work_2").is_none());
    assert_eq!(system.trust_domains, [[1, 2]]);
    assert_eq!(system.cores(), 2);
}

#[test]
fn dropping_a_parent_drops_its_children() {
    let mut text = SYSTEM.replace("</system>", "");
    text.push_str(
        "<protection_domain name=\"alone\"><program_image path=\"pd.elf\" /></protection_domain></system>",
    );
    let mut description = Description::parse("system.xml", &text).unwrap();
    description.drop_pds(&["supervisor"]);
    let system = description.resolve(&BOARD, &SearchPath::default()).unwrap();
    assert_eq!((names(&system), system.channels.len(), system.regions.len()), (vec!["alone"], 0, 0));
}

#[test]
fn sizes_and_prefills_are_set_by_name() {
    let system = edited(|description| {
        description.set_region_size("weights", 0x20_0001).unwrap();
        description.set_region_size("scratch", 1).unwrap();
        description.set_prefill("scratch", "small.bin").unwrap();
        description.set("protection_domain", "compute", "budget", "300").unwrap();
        let message = description.set_region_size("weigths", 1).unwrap_err().to_string();
        assert!(
            message.contains("no <memory_region> 'weigths'") && message.contains("'weights'"),
            "{message}"
        );
    });
    assert_eq!(system.regions[system.region("weights").unwrap()].size, 0x40_0000);
    assert_eq!(system.regions[0].prefill.as_deref(), Some("small.bin"));
    assert_eq!(system.pds[1].budget, 300);
}

#[test]
fn an_overlay_replaces_adds_and_removes() {
    let overlay = r#"<overlay>
        <memory_region name="weights" size="0x600000" />
        <memory_region name="uart" size="0x1000" phys_addr="0x9000000" add="true" />
        <protection_domain name="compute_1" priority="20" cpu="">
            <map mr="work_1" remove="true" />
            <map mr="uart" vaddr="0x5000000" cached="false" add="true" />
            <irq irq="33" id="5" add="true" />
        </protection_domain>
        <protection_domain name="compute_2" remove="true" />
        <memory_region name="work_2" remove="true" />
        <channel remove="true"><end pd="compute" /><end pd="compute_2" /></channel>
        <channel><end pd="compute_1" /><end pd="compute" id="9" /></channel>
        <?cloister trust-domain="compute compute_1"?>
    </overlay>"#;
    let text = SYSTEM.replace(" compute_2\"?>", "\"?>");
    let mut description = Description::parse("system.xml", &text).unwrap();
    description.overlay("overlay.xml", overlay).unwrap();
    let system = description.resolve(&BOARD, &SearchPath::default()).unwrap();
    assert_eq!(names(&system), ["supervisor", "compute", "compute_1"]);
    assert_eq!(system.regions[system.region("weights").unwrap()].size, 0x60_0000);
    let pd = &system.pds[2];
    assert_eq!((pd.priority, pd.cpu, pd.irqs[0].number, pd.maps.len()), (20, 0, 33, 2));
    assert_eq!(system.channels[0].ends[0].id, 9);
}

#[test]
fn an_overlay_that_names_nothing_is_an_error_at_its_place() {
    let error = |overlay: &str| overlaid(overlay).err().unwrap_or_default();
    let typo = error("<overlay>\n  <memory_region name=\"weigths\" size=\"1\" />\n</overlay>");
    assert_eq!(
        typo,
        "error: overlay.xml:2:3: there is no <memory_region> 'weigths' in <system> to change; mark a new one with \
         add=\"true\"; did you mean 'weights'?"
    );
    let gone = error("<overlay>\n  <protection_domain name=\"compute_7\" remove=\"true\" />\n</overlay>");
    assert!(
        gone.starts_with("error: overlay.xml:2:3: there is no <protection_domain> 'compute_7'"),
        "{gone}"
    );
    let root = error("<system />");
    assert!(root.contains("an overlay's is <overlay>"), "{root}");
    let value = error("<overlay><memory_region name=\"weights\"\n size=\"0x1\" /></overlay>");
    assert!(value.contains("overlay.xml:2:2: <memory_region> attribute 'size': is 0x1"), "{value}");
}

#[test]
fn the_resolved_file_describes_the_same_system() {
    let folder = folder("round-trip");
    let system = edited(|description| description.limit_cores(2));
    let again = resolve(&system.to_xml(), &folder).unwrap();
    assert_eq!(again.to_xml(), system.to_xml());
    assert_eq!(names(&again), names(&system));
    assert_eq!(again.trust_domains, system.trust_domains);
}
