"""The detector on made-up signals."""

import itertools
import math
import random

import pytest

from phones.sound import AUDIBLE, LOUD, RATE, strength, tone_of, voices

PHONES = range(1001, 1021)
A_THIRD = {1001, 1004, 1007}


def sine(frequency, amplitude=LOUD // 2, seconds=1.0, phase=0.0):
    return [round(amplitude * math.sin(phase + 2 * math.pi * frequency * n / RATE)) for n in range(int(seconds * RATE))]


def mixed(*signals):
    """As a telephone does: what is too loud is cut off."""
    return [max(-LOUD, min(LOUD, sum(samples))) for samples in zip(*signals, strict=True)]


def by_g711(samples):
    """What is left of them after mu-law: 8 bits, with steps that grow with the amplitude."""
    return [_expanded(round(127 * _compressed(sample))) for sample in samples]


def _compressed(sample):
    return math.copysign(math.log1p(255 * abs(sample) / LOUD) / math.log(256), sample)


def _expanded(step):
    return round(math.copysign(LOUD * (256 ** (abs(step) / 127) - 1) / 255, step))


@pytest.mark.parametrize("frequency", [300, 474, 1000.5, 3000])
@pytest.mark.parametrize("phase", [0, 1, 2])
def test_the_strength_of_a_tone_is_its_amplitude(frequency, phase):
    assert strength(sine(frequency, 10_000, phase=phase), frequency) == pytest.approx(10_000, rel=0.01)


def test_a_tone_that_stops_halfway_is_half_as_strong():
    samples = sine(700, 10_000, 0.5) + [0] * (RATE // 2)
    assert strength(samples, 700) == pytest.approx(5_000, rel=0.01)


def test_there_is_nothing_in_silence_and_nothing_in_no_samples():
    assert strength([0] * RATE, 700) == 0
    assert strength([], 700) == 0
    assert voices([0] * RATE, PHONES) == voices([], PHONES) == set()


@pytest.mark.parametrize("phone", PHONES)
def test_each_phone_alone_is_taken_for_no_other(phone):
    assert voices(by_g711(sine(tone_of(phone))), PHONES) == {phone}


@pytest.mark.parametrize(
    "several", [*itertools.combinations(range(1001, 1007), 2), *itertools.combinations(A_THIRD, 3)]
)
def test_phones_that_are_mixed_and_cut_off_are_told_apart(several):
    signals = [sine(tone_of(phone), phase=phone) for phone in several]
    assert voices(by_g711(mixed(*signals)), PHONES) == set(several)


def test_what_is_as_loud_as_a_tone_but_none_is_nobodys_voice():
    noise = random.Random(7)
    assert voices([noise.randint(-LOUD, LOUD) for _ in range(RATE)], PHONES) == set()


def test_a_tone_that_is_hardly_there_is_not_heard():
    assert voices(sine(tone_of(1003), AUDIBLE // 2), PHONES) == set()


def test_tones_are_within_what_a_telephone_carries():
    tones = sorted(map(tone_of, PHONES))
    assert tones[0] >= 300
    assert tones[-1] <= 3400
    assert min(b - a for a, b in itertools.pairwise(tones)) >= 50
