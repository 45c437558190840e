//! Every manifest that is accepted was signed as it is, and every model that passes is the one that was signed.

use inference_manifest::{Checker, Claim, Draft, HEAD, KeyId, ManifestError, Mismatch, SigningKey};
use proptest::prelude::*;

const CHUNK: usize = 64 << 10;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn model(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i * 31 + i / 255) as u8).collect()
}

fn signed(identity: &str, version: u64, model: &[u8], seed: u8) -> Vec<u8> {
    let mut draft = Draft::new(identity, version, model.len() as u64).unwrap();
    model.chunks(10_007).for_each(|piece| draft.update(piece));
    draft.sign(&key(seed)).unwrap()
}

fn trusted() -> [[u8; 32]; 2] {
    [key(1).verifying_key().to_bytes(), key(2).verifying_key().to_bytes()]
}

fn checker(bytes: &[u8]) -> Checker {
    Checker::new(Claim::parse(bytes).unwrap().verify(&trusted()).unwrap().0)
}

#[test]
fn what_was_signed_is_accepted_in_pieces_of_any_size() {
    for length in [1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 77] {
        let model = model(length);
        let bytes = signed("story", 3, &model, 2);
        let (manifest, by) = Claim::parse(&bytes).unwrap().verify(&trusted()).unwrap();
        assert_eq!((manifest.identity(), manifest.version(), by), ("story", 3, 1));
        assert_eq!((manifest.length(), manifest.hashes().len()), (length as u64, length.div_ceil(CHUNK)));
        for size in [1.max(length / 7), 512, CHUNK, CHUNK + 5, length] {
            let mut checker = checker(&bytes);
            for piece in model.chunks(size) {
                checker.update(piece).unwrap();
            }
            assert!(checker.is_complete() && checker.proven() == length as u64);
        }
    }
}

#[test]
fn a_changed_byte_is_found_in_its_chunk_and_nothing_behind_it_is_proven() {
    let whole = model(4 * CHUNK + 9);
    let bytes = signed("story", 1, &whole, 1);
    for at in [0, CHUNK - 1, CHUNK, 3 * CHUNK + 5, 4 * CHUNK + 8] {
        let mut other = whole.clone();
        other[at] ^= 0x10;
        let mut checker = checker(&bytes);
        let chunk = at / CHUNK;
        let end = ((chunk + 1) * CHUNK).min(whole.len());
        let expected =
            Mismatch::Chunk { chunk: chunk as u64, start: (chunk * CHUNK) as u64, end: end as u64 };
        assert_eq!(checker.update(&other), Err(expected));
        assert_eq!(checker.proven(), (chunk * CHUNK) as u64);
        assert!(!checker.is_complete());
    }
}

#[test]
fn a_model_that_is_longer_or_shorter_is_another() {
    let whole = model(CHUNK + 9);
    let mut checker = checker(&signed("story", 1, &whole, 1));
    assert!(checker.check_length(CHUNK as u64).unwrap_err().to_string().contains("truncated"));
    checker.update(&whole).unwrap();
    let longer = checker.update(&[0]).unwrap_err();
    assert_eq!(longer, Mismatch::Length { found: CHUNK as u64 + 10, signed: CHUNK as u64 + 9 });
}

#[test]
fn only_whole_chunks_are_proven() {
    let whole = model(2 * CHUNK + 9);
    let mut checker = checker(&signed("story", 1, &whole, 1));
    assert_eq!((checker.needed(1), checker.needed(2 * CHUNK as u64 + 1)), (CHUNK as u64, whole.len() as u64));
    checker.update(&whole[..CHUNK - 1]).unwrap();
    assert_eq!(checker.proven(), 0);
    checker.update(&whole[CHUNK - 1..CHUNK + 100]).unwrap();
    assert_eq!(checker.proven(), CHUNK as u64);
}

#[test]
fn a_stranger_s_key_is_named() {
    let bytes = signed("story", 1, &model(100), 9);
    let id = KeyId::of(&key(9).verifying_key().to_bytes());
    let error = Claim::parse(&bytes).unwrap().verify(&trusted()).unwrap_err();
    assert_eq!(error, ManifestError::UnknownKey { key: id });
    assert!(error.to_string().contains(&id.to_string()));
    assert_eq!(Claim::parse(&bytes).unwrap().verify(&[]), Err(error));
}

#[test]
fn a_key_that_is_put_in_without_its_signature_is_of_no_use() {
    let mut bytes = signed("story", 1, &model(100), 9);
    bytes[40..72].copy_from_slice(&key(1).verifying_key().to_bytes());
    assert_eq!(Claim::parse(&bytes).unwrap().verify(&trusted()).unwrap_err(), ManifestError::Signature);
}

#[test]
fn malformed_manifests_are_named() {
    let good = signed("story", 1, &model(3 * CHUNK), 1);
    let with = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        Claim::parse(&bad).unwrap_err()
    };
    assert_eq!(Claim::parse(&[]).unwrap_err(), ManifestError::Magic { bytes: 0 });
    assert_eq!(Claim::parse(&good[..HEAD - 1]).unwrap_err(), ManifestError::Magic { bytes: HEAD - 1 });
    assert_eq!(with(0, b"GGUF"), ManifestError::Magic { bytes: good.len() });
    assert_eq!(with(8, &[7]), ManifestError::Format { found: 7 });
    assert_eq!(with(12, &[0, 0, 0]), ManifestError::ChunkSize { found: 0 });
    assert_eq!(with(12, &[0, 0, 3]), ManifestError::ChunkSize { found: 3 << 16 });
    assert_eq!(with(16, &[0; 8]), ManifestError::Version);
    assert_eq!(with(24, &[0; 8]), ManifestError::ModelLength { length: 0 });
    assert_eq!(with(24, &[255; 8]), ManifestError::ModelLength { length: u64::MAX });
    assert_eq!(with(32, &[255; 4]), ManifestError::ChunkCount { found: u32::MAX, expected: 3 });
    assert_eq!(with(36, &[1]), ManifestError::Reserved);
    assert_eq!(with(104, b"st\x1bry"), ManifestError::Identity);
    assert_eq!(with(104, &[0; 5]), ManifestError::Identity);
    assert_eq!(with(150, b"x"), ManifestError::Identity);
    let expected = good.len();
    let short = Claim::parse(&good[..expected - 1]).unwrap_err();
    assert_eq!(short, ManifestError::Length { found: expected - 1, expected });
    let long = [&good[..], &[0]].concat();
    assert_eq!(Claim::parse(&long).unwrap_err(), ManifestError::Length { found: expected + 1, expected });
}

#[test]
fn what_cannot_be_signed_is_said() {
    assert_eq!(Draft::new("", 1, 1).unwrap_err(), ManifestError::Identity);
    assert_eq!(Draft::new(&"x".repeat(49), 1, 1).unwrap_err(), ManifestError::Identity);
    assert_eq!(Draft::new("x", 0, 1).unwrap_err(), ManifestError::Version);
    assert!(matches!(Draft::new("x", 1, 0).unwrap_err(), ManifestError::ModelLength { .. }));
    assert!(matches!(Draft::new("x", 1, u64::MAX).unwrap_err(), ManifestError::ModelLength { .. }));
    let draft = Draft::new("x", 1, 10).unwrap();
    assert_eq!(draft.sign(&key(1)).unwrap_err(), ManifestError::ModelLength { length: 0 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// No bytes make the parser panic or accept what nobody signed.
    #[test]
    fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600), begin in 0_usize..160) {
        let mut whole = signed("story", 1, &model(2 * CHUNK), 1);
        let begin = begin.min(whole.len());
        whole.truncate(begin);
        whole.extend(bytes);
        let accepted = Claim::parse(&whole).and_then(|claim| claim.verify(&trusted()));
        prop_assert!(accepted.is_err());
    }

    /// One changed byte anywhere in a manifest, and it is refused.
    #[test]
    fn every_byte_is_signed(at in any::<prop::sample::Index>(), change in 1_u8..) {
        let mut bytes = signed("story", 1, &model(2 * CHUNK), 1);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(Claim::parse(&bytes).and_then(|claim| claim.verify(&trusted())).is_err());
    }

    /// One changed byte anywhere in a model, and its chunk is named, whatever the pieces.
    #[test]
    fn every_byte_of_the_model_counts(at in 0_usize..200_000, change in 1_u8.., piece in 1_usize..90_000) {
        let whole = model(200_000);
        let mut checker = checker(&signed("story", 1, &whole, 1));
        let mut other = whole;
        other[at] ^= change;
        let found = other.chunks(piece).try_for_each(|piece| checker.update(piece)).unwrap_err();
        let in_its_chunk = matches!(found, Mismatch::Chunk { chunk, .. } if chunk == (at / CHUNK) as u64);
        prop_assert!(in_its_chunk, "{}", found);
    }
}

#[cfg(feature = "pem")]
#[test]
fn keys_survive_their_files_and_an_openssl_key_is_read() {
    use inference_manifest::pem;
    let private = pem::read_private(&pem::write_private(&key(5)).unwrap()).unwrap();
    assert_eq!(private.to_bytes(), [5; 32]);
    let public = pem::read_public(&pem::write_public(&key(5).verifying_key()).unwrap()).unwrap();
    assert_eq!(public, key(5).verifying_key());
    // RFC 8410, section 10.1 and 10.3.
    let rfc = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    assert_eq!(KeyId::of(&pem::read_public(rfc).unwrap().to_bytes()).to_string(), "19bf44096984cdfe");
    let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    let read = pem::read_private(private).unwrap();
    assert_eq!(read.verifying_key(), pem::read_public(rfc).unwrap());
    assert_eq!(pem::write_private(&read).unwrap(), private, "as OpenSSL writes it");
    assert!(pem::read_public("").is_err() && pem::read_private(rfc).is_err());
}
