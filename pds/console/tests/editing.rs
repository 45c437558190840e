//! Every key, as a person sees it on a terminal.
mod common;
use common::World;
use common::vt::Vt;

/// Types `keys` at a prompt: what is sent, and what the screen shows.
fn edit(keys: &str) -> (String, Vt) {
    let mut world = World::ready();
    world.types(format!("{keys}\r"));
    let shown = format!(">>> {}", world.take());
    (world.message().1, Vt::show(80, &shown))
}

#[test]
fn every_editing_key_does_what_it_should() {
    for (keys, message) in [
        ("hello", "hello"),
        ("hellp\x7fo!", "hello!"),
        ("hello\x1b[D\x1b[D\x08L", "heLlo"),
        ("ello\x01h", "hello"),
        ("ello\x1b[Hh\x1b[F!", "hello!"),
        ("ello\x1b[1~h\x1b[4~!", "hello!"),
        ("hello\x02\x02\x06X", "hellXo"),
        ("hello world\x1bbbig \x1bf!", "hello big world!"),
        ("hello world\x1b[1;5Dbig \x1b[1;5C!", "hello big world!"),
        ("hello world\x17there", "hello there"),
        ("hello world\x1bb\x0bthere", "hello there"),
        ("hello world\x1bb\x15big ", "big world"),
        ("hello\x01\x1b[3~\x04H", "Hllo"),
        ("日本語\x1b[D\x7fX", "日X語"),
        ("naïve\x1b[D\x1b[D\x1b[D\x7fi", "niïve"),
    ] {
        let (sent, screen) = edit(keys);
        assert_eq!(sent, message, "{keys:?}");
        assert_eq!(screen.text(), format!(">>> {message}"), "{keys:?}");
    }
}

#[test]
fn what_is_typed_at_the_end_is_echoed_byte_for_byte() {
    let mut world = World::ready();
    world.types("Once upon a time");
    assert_eq!(world.take(), "Once upon a time");
    world.types("\r");
    assert_eq!(world.take(), "\r\n");
}

#[test]
fn lines_longer_than_the_terminal_are_edited_across_rows() {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(5);
    let (sent, screen) = edit(&format!("{text}\x01X\x05Y\x1bb\x1bb\x17"));
    assert!(sent.starts_with("XThe quick") && sent.ends_with("over the dog. Y"), "{sent}");
    assert_eq!(screen.joined(), format!(">>> {sent}"));
}

#[test]
fn every_length_around_the_edge_of_the_terminal_is_drawn_right() {
    for length in 70..90 {
        for wide in [false, true] {
            let text = if wide { "漢".repeat(length / 2) + "ab" } else { "x".repeat(length) };
            let (sent, screen) = edit(&format!("{text}\x01Q\x1b[C\x1b[CW\x05E"));
            assert_eq!(
                screen.text().replace('\n', ""),
                format!(">>> {sent}"),
                "length {length}, wide {wide}"
            );
        }
    }
}

#[test]
fn the_cursor_is_where_the_next_character_goes() {
    let mut world = World::ready();
    world.types("漢字 and more".to_owned() + &"y".repeat(100) + "\x01\x1b[C\x1b[C");
    let vt = Vt::show(80, &format!(">>> {}", world.take()));
    assert_eq!(vt.cursor(), (0, 8));
}

#[test]
fn history_goes_up_and_down_and_keeps_the_line_being_written() {
    let mut world = World::ready();
    for line in ["/version", "/? shortcuts"] {
        world.says(line);
    }
    world.types("half\x1b[A\x1b[A");
    let vt = Vt::show(80, &world.take());
    assert!(vt.text().ends_with("/version"), "{}", vt.text());
    world.types("\x1b[B\x1b[B");
    world.types(" a line\r");
    assert_eq!(world.message().1, "half a line");
}

#[test]
fn ctrl_l_clears_the_screen_keeps_the_line_and_learns_the_width() {
    let mut world = World::ready();
    world.types("half\x0c");
    let shown = world.take();
    assert_eq!(Vt::show(80, &shown).text(), ">>> half");
    world.types("\x1b[1;40R");
    world.types(&"x".repeat(60));
    assert!(world.take().contains(" \r"), "wraps at 40 columns");
}

#[test]
fn ctrl_c_drops_the_line_and_on_an_empty_one_says_how_to_leave() {
    let mut world = World::ready();
    world.types("half\x03");
    assert_eq!(world.take(), "half^C\r\n>>> ");
    world.types("\x03");
    assert_eq!(world.take(), "^C\r\nUse Ctrl-D or /bye to exit\r\n>>> ");
    assert!(world.requests().is_empty());
}

#[test]
fn triple_quotes_make_a_message_of_several_lines() {
    let mut world = World::ready();
    world.types("\"\"\"one\rtwo\r\"\"\"\r");
    assert_eq!(world.take(), "\"\"\"one\r\n... two\r\n... \"\"\"\r\n");
    assert_eq!(world.message().1, "one\ntwo");
    let mut world = World::ready();
    world.types("\"\"\"/status\"\"\"\r");
    assert_eq!(world.message().1, "/status", "quoted text is never a command");
}

#[test]
fn a_backslash_continues_the_line() {
    let mut world = World::ready();
    world.types("one\\\rtwo\r");
    assert_eq!(world.message().1, "one\ntwo");
}

#[test]
fn a_paste_with_line_ends_is_one_message() {
    let mut world = World::ready();
    world.types("\x1b[200~status\nexit\r\nlast\x1b[201~");
    assert!(world.requests().is_empty() && world.orders().is_empty(), "nothing happens before Enter");
    world.types("\r");
    assert_eq!(world.message().1, "status\nexit\nlast");
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_the_user_is_told() {
    let mut world = World::ready();
    world.types(b"caf\xe9 ok\r");
    assert!(world.take().contains("replaced by U+FFFD in 1 place(s)"));
    assert_eq!(world.message().1, "caf\u{fffd} ok");
}

#[test]
fn ten_megabytes_pasted_are_refused_with_a_count_and_the_prompt_comes_back() {
    let mut world = World::ready();
    world.types(vec![b'a'; 10_000_000]);
    assert!(world.take().contains("the message is full (32768 bytes)"));
    world.types("\r");
    let shown = world.take();
    assert!(
        shown.contains("too long: a message has at most 32768 bytes, and 9967232 more were typed"),
        "{shown}"
    );
    assert!(shown.ends_with(">>> "));
    assert!(world.requests().is_empty(), "nothing was sent");
    world.asks("still here");
}

#[test]
fn a_message_longer_than_the_link_arrives_whole() {
    let mut world = World::ready();
    let text = "word ".repeat(5000) + "end";
    world.types(format!("{text}\r"));
    assert_eq!(world.message().1, text);
}

#[test]
fn a_slow_terminal_loses_nothing() {
    let mut world = World::ready();
    world.wire.borrow_mut().appetite = 0;
    world.types("/help\r/? shortcuts\r/help\r/help\r/help\r/help\r/help\r/help\rhello\r");
    let mut rounds = 0;
    while world.requests().is_empty() {
        world.wire.borrow_mut().appetite = 100;
        world.run();
        rounds += 1;
        assert!(rounds < 10_000);
    }
    world.wire.borrow_mut().appetite = usize::MAX;
    world.run();
    let shown = world.take();
    assert_eq!(shown.matches("Commands begin with /").count(), 7);
    assert!(rounds > 50, "it was slow");
}
