//! A system description that can still be edited.
//!
//! One design rule: edits are made by name and fail where the name does not exist; nothing is checked twice, because
//! [`Description::resolve`] checks the result as a whole.

use crate::attribute::shorten;
use crate::model::System;
use crate::parse::Purpose;
use crate::problem::{Problems, did_you_mean};
use crate::search::SearchPath;
use crate::xml::{Element, Node};
use crate::{grammar, overlay, parse, survey};
use board_description::Board;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A description on its way to a [`System`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    tree: Element,
}

impl Description {
    /// Reads a description from a file.
    ///
    /// # Errors
    /// The file cannot be read or is not XML.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        Self::parse(&path.display().to_string(), &text(path)?)
    }

    /// Parses a description; `file` is its name for messages.
    ///
    /// # Errors
    /// It is not XML.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        Ok(Self { tree: Element::parse(file, text)? })
    }

    /// Applies the overlay in a file.
    ///
    /// # Errors
    /// As [`Description::overlay`], or the file cannot be read.
    pub fn read_overlay(&mut self, path: &Path) -> Result<(), Problems> {
        self.overlay(&path.display().to_string(), &text(path)?)
    }

    /// Applies an overlay: elements are found by tag and name or id; see `docs/system-description.md`.
    ///
    /// # Errors
    /// It is not an overlay, or names what the description lacks.
    pub fn overlay(&mut self, file: &str, text: &str) -> Result<(), Problems> {
        overlay::apply(&mut self.tree, &Element::parse(file, text)?)
    }

    /// Sets a region's size in bytes, rounded up to its pages.
    ///
    /// # Errors
    /// There is no such region.
    pub fn set_region_size(&mut self, region: &str, size: u64) -> Result<(), Problems> {
        let element = self.find("memory_region", region)?;
        let page = if element.value("page_size") == Some("0x200000") { 0x20_0000 } else { 0x1000 };
        let size = size.max(1).checked_next_multiple_of(page).unwrap_or(u64::MAX - page + 1);
        let place = element.place.clone();
        element.set("size", &format!("{size:#x}"), &place);
        Ok(())
    }

    /// Fills a region from a file (found along the search path). The region keeps its size where it has one.
    ///
    /// # Errors
    /// There is no such region.
    pub fn set_prefill(&mut self, region: &str, path: &str) -> Result<(), Problems> {
        self.set("memory_region", region, "prefill_path", path)
    }

    /// Sets an attribute of the element with this tag and name.
    ///
    /// # Errors
    /// There is no such element.
    pub fn set(&mut self, tag: &str, name: &str, attribute: &str, value: &str) -> Result<(), Problems> {
        let element = self.find(tag, name)?;
        let place = element.place.clone();
        element.set(attribute, value, &place);
        Ok(())
    }

    /// Names of all PDs, in document order.
    pub fn pd_names(&self) -> Vec<String> {
        let pds = descendants(&self.tree).filter(|element| element.tag == "protection_domain");
        pds.filter_map(|pd| pd.value("name")).map(str::to_owned).collect()
    }

    fn find(&mut self, tag: &str, name: &str) -> Result<&mut Element, Problems> {
        let names: Vec<_> =
            descendants(&self.tree).filter(|e| e.tag == tag).filter_map(|e| e.value("name")).collect();
        let close = did_you_mean(name, names.iter().copied());
        let message = format!("there is no <{tag}> '{}' to change{close}", shorten(name));
        let place = self.tree.place.clone();
        overlay::find_named(&mut self.tree, tag, name).ok_or_else(|| Problems::one_at(&place, message))
    }

    /// Removes PDs by name, with their children, their channels and regions that only they mapped.
    pub fn drop_pds(&mut self, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        self.remove_pds(&names);
    }

    /// Removes the PDs on cores from `cores` up, as [`Description::drop_pds`] does.
    pub fn limit_cores(&mut self, cores: u8) {
        let beyond = |element: &&Element| {
            let cpu = element.value("cpu").and_then(|cpu| cpu.parse::<u64>().ok());
            element.tag == "protection_domain" && cpu.is_some_and(|cpu| cpu >= cores.into())
        };
        let names = descendants(&self.tree).filter(beyond).filter_map(|e| e.value("name"));
        let names = names.map(str::to_owned).collect();
        self.remove_pds(&names);
    }

    fn remove_pds(&mut self, names: &BTreeSet<String>) {
        let before = mapped(&self.tree);
        let mut gone = BTreeSet::new();
        remove_domains(&mut self.tree, names, &mut gone);
        let after = mapped(&self.tree);
        self.tree.children.retain_mut(|node| match node {
            Node::Element(e) if e.tag == "channel" => {
                !e.elements().any(|end| end.value("pd").is_some_and(|pd| gone.contains(pd)))
            }
            Node::Element(e) if e.tag == "memory_region" => {
                e.value("name").is_none_or(|name| !before.contains(name) || after.contains(name))
            }
            Node::Directive { target, text, .. } if target == "cloister" => {
                for name in &gone {
                    *text = without(text, name);
                }
                true
            }
            _ => true,
        });
    }

    /// Checks the whole and turns it into a [`System`].
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn resolve(self, board: &Board, search: &SearchPath) -> Result<System, Problems> {
        let mut problems = Problems::default();
        grammar::check(&self.tree, &mut problems);
        if self.tree.tag != "system" {
            return Err(problems);
        }
        let system = parse::system(self.tree, board, search, Purpose::Image, &mut problems);
        problems.or(system)
    }

    /// Reads a description for any of Microkit's boards, to report on it: Cloister's own rules do not count, nor what
    /// a board has where. Interrupts and physical addresses are taken as they stand; what lies at a physical
    /// address counts as a device.
    ///
    /// # Errors
    /// What Microkit would refuse as well, and what a report cannot show: virtual machines, extra capabilities, calls of
    /// the firmware, IOMMU spaces.
    pub fn survey(mut self) -> Result<System, Problems> {
        let mut problems = Problems::default();
        survey::leave_out(&mut self.tree);
        grammar::check(&self.tree, &mut problems);
        if self.tree.tag != "system" {
            return Err(problems);
        }
        let board = survey::board(&self.tree);
        let search = SearchPath::default();
        let system = parse::system(self.tree, &board, &search, Purpose::Report, &mut problems);
        problems.or(system)
    }
}

fn text(path: &Path) -> Result<String, Problems> {
    let name = path.display();
    let bytes =
        fs::read(path).map_err(|error| Problems::one(format!("{name}: {error}; is the path right?")))?;
    String::from_utf8(bytes)
        .map_err(|_| Problems::one(format!("{name}: is not UTF-8 text; is it a description?")))
}

/// All elements below, in document order. Depth is bounded by the parser.
pub(crate) fn descendants(element: &Element) -> Box<dyn Iterator<Item = &Element> + '_> {
    Box::new(element.elements().flat_map(|child| std::iter::once(child).chain(descendants(child))))
}

/// Names of regions that maps and setvars use.
fn mapped(tree: &Element) -> BTreeSet<String> {
    let names = descendants(tree).filter_map(|element| match element.tag.as_str() {
        "map" => element.value("mr"),
        "setvar" => element.value("region_paddr"),
        _ => None,
    });
    names.map(str::to_owned).collect()
}

fn remove_domains(element: &mut Element, names: &BTreeSet<String>, gone: &mut BTreeSet<String>) {
    element.children.retain(|node| {
        let Some(child) = node.element().filter(|child| child.tag == "protection_domain") else {
            return true;
        };
        let removed = child.value("name").is_some_and(|name| names.contains(name));
        if removed {
            let all = std::iter::once(child).chain(descendants(child));
            let pds = all.filter(|e| e.tag == "protection_domain");
            gone.extend(pds.filter_map(|e| e.value("name")).map(str::to_owned));
        }
        !removed
    });
    for child in element.elements_mut() {
        remove_domains(child, names, gone);
    }
}

/// A directive's text without a name in its list.
fn without(text: &str, name: &str) -> String {
    let Some((head, tail)) = text.split_once('"') else { return text.into() };
    let Some((list, end)) = tail.split_once('"') else { return text.into() };
    let kept: Vec<_> = list.split_whitespace().filter(|word| *word != name).collect();
    format!("{head}\"{}\"{end}", kept.join(" "))
}
