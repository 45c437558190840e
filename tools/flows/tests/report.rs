//! The repository's own system against its policy, and systems that break it.

use std::path::{Path, PathBuf};
use tools_flows::{Flows, Policy, dot, json, svg, text};
use tools_sysgen::{Description, SearchPath, board};

fn root(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

fn flows(edit: impl FnOnce(String) -> String) -> Flows {
    let source = edit(std::fs::read_to_string(root("system.xml")).expect("system.xml"));
    let description =
        Description::parse("system.xml", &source).unwrap_or_else(|problems| panic!("\n{problems}"));
    let board = board("qemu_virt_aarch64").expect("the board");
    Flows::of(
        &description
            .resolve(&board, &SearchPath::default())
            .unwrap_or_else(|problems| panic!("\n{problems}")),
    )
}

fn policy() -> Policy {
    let text = std::fs::read_to_string(root("policy.toml")).expect("policy.toml");
    Policy::parse(&text).unwrap_or_else(|error| panic!("policy.toml: {error}"))
}

fn differences(flows: &Flows) -> Vec<String> {
    policy().compare(flows).iter().map(ToString::to_string).collect()
}

#[test]
fn the_system_does_exactly_what_the_policy_allows() {
    assert_eq!(differences(&flows(|text| text)), Vec::<String>::new());
}

#[test]
fn a_region_that_one_more_pd_reads_is_named() {
    let map = r#"<map mr="storage_health" vaddr="0x20302000" perms="rw" setvar_vaddr="health"/>"#;
    let more = r#"<map mr="console_to_session" vaddr="0x30000000" perms="r"/>"#;
    let changed = flows(|text| {
        assert!(text.contains(map));
        text.replace(map, &format!("{map}{more}"))
    });
    let found = differences(&changed);
    assert!(
        found.contains(&"storage reads region console_to_session, which the policy does not allow".into()),
        "{found:?}"
    );
    let way = "from console_to_session to storage there is a way that the policy excludes";
    assert!(found.iter().any(|line| line.starts_with(way)), "{found:?}");
}

#[test]
fn a_channel_more_and_a_right_less_are_named() {
    let channel = r#"<channel><end pd="session" id="40"/><end pd="storage" id="40"/></channel></system>"#;
    let more = flows(|text| text.replace("</system>", channel));
    assert_eq!(
        differences(&more),
        [
            "storage signals session, which the policy does not allow",
            "session signals storage, which the policy does not allow"
        ]
    );
    let map = r#"<map mr="vocabulary" vaddr="0x400000000" perms="r" setvar_vaddr="vocabulary" setvar_size="vocabulary_size"/>"#;
    let less = flows(|text| {
        assert!(text.contains(map));
        text.replace(map, "")
    });
    assert_eq!(
        differences(&less),
        ["the policy says that session reads region vocabulary, which the system does not give"]
    );
}

#[test]
fn a_rule_about_something_unknown_is_an_error_and_not_silently_true() {
    let rule = "[[rule]]\nfrom = \"weights\"\nto = \"consle\"\nbecause = \"x\"\n";
    let policy = Policy::parse(rule).expect("well-formed");
    let found = policy.compare(&flows(|text| text));
    assert!(found.iter().any(|d| d.0.contains("names 'consle'")));
    assert!(Policy::parse("[[rule]]\nfrom = \"a\"\ntoo = \"b\"\n").is_err(), "misspelt keys are errors");
}

#[test]
fn the_report_comes_as_text_json_and_pictures() {
    let flows = flows(|text| text);
    let text = text(&flows);
    assert!(text.contains("console\n") && text.contains("uart (device)"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&json(&flows).expect("serialises")).expect("is JSON");
    assert_eq!(json["regions"]["weights"]["write"], serde_json::json!(["loader"]));
    assert!(dot(&flows).contains("\"loader\" -> \"compute\" [label=\"weights\"];"));
    let picture = svg(&flows);
    assert!(picture.contains("<title>weights</title>") && picture.ends_with("</svg>\n"));
    assert_eq!(picture.matches("<rect").count(), flows.pds.len());
}

fn survey(text: &str) -> Result<Flows, String> {
    let description = Description::parse("foreign.system", text).map_err(|problems| problems.to_string())?;
    description.survey().map(|system| Flows::of(&system)).map_err(|problems| problems.to_string())
}

/// Made to have what descriptions for other boards have: devices and interrupts that no board of ours has, two
/// writers of one region, one device for two PDs, a schedule of domains.
const FOREIGN: &str = r#"<system>
    <domains><domain_schedule><domain name="a" length="10"/></domain_schedule></domains>
    <memory_region name="clock" size="0x1000" phys_addr="0xffd0f000"/>
    <memory_region name="shared" size="0x1000"/>
    <protection_domain name="driver" priority="9" domain="a">
        <program_image path="driver.elf"/>
        <map mr="clock" vaddr="0x2000000" perms="rw"/>
        <map mr="shared" vaddr="0x3000000" perms="rw"/>
        <irq irq="294" id="1"/>
    </protection_domain>
    <protection_domain name="client" priority="5">
        <program_image path="client.elf"/>
        <map mr="clock" vaddr="0x2000000" perms="r"/>
        <map mr="shared" vaddr="0x3000000" perms="rw"/>
    </protection_domain>
    <channel><end pd="driver" id="2"/><end pd="client" id="2" pp="true"/></channel>
</system>"#;

#[test]
fn descriptions_for_other_boards_are_reported_by_microkit_s_rules() {
    let flows = survey(FOREIGN).expect("it is a description");
    assert_eq!(flows.regions["shared"].write.iter().collect::<Vec<_>>(), ["client", "driver"]);
    assert!(flows.regions["clock"].device && flows.regions["clock"].read.len() == 2);
    assert_eq!(flows.interrupts["driver"].iter().collect::<Vec<_>>(), [&294]);
    let policy = Policy::parse(
        "signals = [[\"client\", \"driver\"]]\ncalls = [[\"client\", \"driver\"]]\n\
         [regions]\nclock = { write = [\"driver\"], read = [\"client\"] }\nshared = { write = [\"driver\"] }\n",
    )
    .expect("well-formed");
    let found: Vec<_> = policy.compare(&flows).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "client writes region shared, which the policy does not allow",
            "driver gets interrupt 294, which the policy does not allow"
        ]
    );
}

#[test]
fn ports_of_a_pc_are_rights_as_well() {
    let pc = FOREIGN.replace(
        r#"<irq irq="294" id="1"/>"#,
        r#"<irq pin="4" vector="4" id="1"/><ioport id="0" addr="0x3f8" size="8"/>"#,
    );
    let flows = survey(&pc).expect("it is a description");
    assert!(flows.ports["driver"].contains("0x3f8..0x400"));
    let found = Policy::default().compare(&flows);
    let line = "driver uses I/O ports 0x3f8..0x400, which the policy does not allow";
    assert!(found.iter().any(|difference| difference.0 == line), "{found:?}");
    assert!(text(&flows).contains("ports      0x3f8..0x400"));
}

#[test]
fn what_a_report_cannot_show_is_refused_by_name() {
    let with = |what: &str| FOREIGN.replace("<program_image path=\"driver.elf\"/>", what);
    for (what, said) in [
        (r#"<program_image path="a"/><virtual_machine name="vm"/>"#, "virtual_machine"),
        (r#"<program_image path="a"/><cspace/>"#, "cspace"),
        ("", "program_image"),
    ] {
        let why = survey(&with(what)).expect_err(what);
        assert!(why.contains(said), "{why}");
    }
    let twice = FOREIGN.replace("name=\"client\"", "name=\"driver\"");
    assert!(survey(&twice).expect_err("two PDs of one name").contains("exists at"));
    let overlap = FOREIGN.replace(
        "name=\"shared\" size=\"0x1000\"",
        "name=\"shared\" size=\"0x1000\" phys_addr=\"0xffd0f000\"",
    );
    assert!(survey(&overlap).expect_err("two names for the same memory").contains("overlaps"));
}

#[test]
fn hostile_xml_is_refused_with_a_place() {
    let deep = "<a>".repeat(100_000);
    let entities = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><system>&b;</system>";
    let many = format!("<system>{}</system>", "<memory_region name=\"r\" size=\"0x1000\"/>".repeat(20_000));
    let huge = "<system/>".to_owned() + &" ".repeat(2 << 20);
    for (text, said) in [
        ("", "not well-formed"),
        ("\u{0}\u{1}", "not well-formed"),
        ("<system", "not well-formed"),
        (entities, "foreign.system:1:"),
        (deep.as_str(), "foreign.system:1:"),
        (many.as_str(), "exists at"),
        (huge.as_str(), "larger than 1 MiB"),
        ("<system><protection_domain/></system>", "name"),
        ("<sytem/>", "root"),
    ] {
        let why = survey(text).expect_err(said);
        assert!(why.contains(said), "{said}: {}", &why[..why.len().min(300)]);
        assert!(why.len() < 64 << 10, "{said}: {} bytes of messages", why.len());
    }
}
