// SPDX-License-Identifier: MIT
//! What an x86-64 processor and its kernel allow, by instructions that need no privilege: CPUID says what the
//! processor has, XGETBV which registers the kernel switches between programs (Intel SDM volume 1, 13.3 and 14.3).

use crate::CpuFeatures;
use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};

/// The kernel has turned XSAVE on, so XGETBV may be executed.
const OSXSAVE: u32 = 1 << 27;
/// Register sets of XCR0: SSE and AVX; with the mask registers and both parts of the 512-bit registers.
const YMM: u64 = 0b110;
const ZMM: u64 = 0b1110_0110;

/// Identification words that matter here.
#[derive(Clone, Copy, Default)]
struct Words {
    /// Leaf 1, ECX.
    basic: u32,
    /// Leaf 7, EBX and ECX.
    extended: [u32; 2],
    /// Leaf 7, subleaf 1, EAX.
    more: u32,
    /// XCR0, 0 where the kernel has not turned XSAVE on.
    switched: u64,
}

/// The features that this program may use.
pub(crate) fn features() -> CpuFeatures {
    decide(words())
}

fn words() -> Words {
    let highest = __cpuid(0).eax;
    let basic = __cpuid(1).ecx;
    if highest < 7 || basic & OSXSAVE == 0 {
        return Words::default();
    }
    let extended = __cpuid_count(7, 0);
    let more = if extended.eax >= 1 { __cpuid_count(7, 1).eax } else { 0 };
    Words { basic, extended: [extended.ebx, extended.ecx], more, switched: switched() }
}

/// XCR0. Only where [`OSXSAVE`] is set.
fn switched() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller saw that the kernel turned XSAVE on; the instruction only reads.
    unsafe {
        asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

fn decide(words: Words) -> CpuFeatures {
    let all = |word: u32, bits: &[u32]| bits.iter().all(|bit| word >> bit & 1 == 1);
    let [ebx, ecx] = words.extended;
    let switched = |set: u64| words.switched & set == set;
    // FMA, AVX, F16C; AVX2.
    let avx2 = switched(YMM) && all(words.basic, &[12, 28, 29]) && all(ebx, &[5]);
    // F, DQ, BW, VL; VNNI.
    let wide = avx2 && switched(ZMM) && all(ebx, &[16, 17, 30, 31]) && all(ecx, &[11]);
    let mut found = CpuFeatures::empty();
    found.set(CpuFeatures::AVX2, avx2);
    found.set(CpuFeatures::AVX512_VNNI, wide);
    found.set(CpuFeatures::AVX512_BF16, wide && all(words.more, &[5]));
    found
}

#[cfg(test)]
mod tests {
    use super::{Words, decide, features};
    use crate::{CpuFeatures, Kernels};

    /// A processor with everything under a kernel that switches `switched`.
    fn kernels(switched: u64) -> &'static str {
        let words = Words { basic: u32::MAX, extended: [u32::MAX; 2], more: u32::MAX, switched };
        Kernels::select(decide(words)).name()
    }

    #[test]
    fn what_the_kernel_does_not_switch_is_not_used() {
        assert_eq!(kernels(0), "generic");
        assert_eq!(kernels(0b11), "generic", "the official kernel's default: x87 and SSE");
        assert_eq!(kernels(0b111), "avx2");
        assert_eq!(kernels(0b0110_0111), "avx2", "half of AVX-512 is none");
        assert_eq!(kernels(0b1110_0111), "avx512-vnni");
    }

    #[test]
    fn what_the_processor_lacks_is_not_used() {
        let all = Words { basic: u32::MAX, extended: [u32::MAX; 2], more: u32::MAX, switched: u64::MAX };
        let name = |words| Kernels::select(decide(words)).name();
        assert_eq!(name(Words { basic: !(1 << 12), ..all }), "generic", "no FMA");
        assert_eq!(name(Words { extended: [!(1 << 5), u32::MAX], ..all }), "generic", "no AVX2");
        assert_eq!(name(Words { extended: [!(1 << 31), u32::MAX], ..all }), "avx2", "no AVX-512 VL");
        assert_eq!(name(Words { extended: [u32::MAX, !(1 << 11)], ..all }), "avx2", "no VNNI");
        assert!(!decide(Words { more: 0, ..all }).contains(CpuFeatures::AVX512_BF16));
    }

    #[test]
    fn this_machine_is_read_as_the_standard_library_reads_it() {
        use std::arch::is_x86_feature_detected as has;
        let avx2 = has!("avx2") && has!("fma") && has!("f16c");
        let wide = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
        let mut expected = CpuFeatures::empty();
        expected.set(CpuFeatures::AVX2, avx2);
        expected.set(CpuFeatures::AVX512_VNNI, avx2 && wide && has!("avx512vnni"));
        expected.set(CpuFeatures::AVX512_BF16, avx2 && wide && has!("avx512vnni") && has!("avx512bf16"));
        assert_eq!(features(), expected);
    }
}
