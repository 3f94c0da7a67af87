"""Silhouettes, maps and their statistics, on vectors with separations that were planted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.metrics import silhouette_samples
from sklearn.neighbors import NearestNeighbors

from basics.errors import Undefined
from evaluators.evidence import Interval, Measurement, report_nothing
from evaluators.layer_separation.maps import sums_and_nearest, weighted_sums
from evaluators.layer_separation.parameters import Parameters, quantities
from evaluators.layer_separation.scores import Scorer
from evaluators.layer_separation.selection import Cells, groupings
from evaluators.layer_separation.separation import Separation, Vectors, separate
from evaluators.layer_separation.silhouettes import Draws, Judged, judge

EMOTIONS = ("Amused", "Angry", "Disgusted", "Neutral", "Sleepy")
PAIR = ("Sleepy", "Angry")
Points = NDArray[np.float64]


def labels(n: int, seed: int = 0, speakers: str = "abc") -> Cells:
    """Cells of n clips, spread over all emotions and speakers by chance; josh-like, `c` has no Angry."""
    generator = np.random.default_rng(seed)
    emotions, names = generator.choice(EMOTIONS, n), generator.choice(list(speakers), n)
    return Cells.of(np.where((names == "c") & (emotions == "Angry"), "Neutral", emotions).tolist(), names.tolist())


def emotion_of(cells: Cells) -> NDArray[np.intp]:
    return cells.cell_emotion[cells.cell]


def speaker_of(cells: Cells) -> NDArray[np.intp]:
    return cells.cell_speaker[cells.cell]


def planted(cells: Cells, apart: float, dimensions: int = 16, seed: int = 0, voices: float = 0.0) -> Points:
    """Normal points whose emotions lie `apart`, and whose speakers lie `voices` apart, in units of their spread."""
    generator = np.random.default_rng([seed, 7])
    points = generator.normal(size=(len(cells), dimensions))
    points += apart * generator.normal(size=(len(cells.emotions), dimensions))[emotion_of(cells)]
    return points + voices * generator.normal(size=(len(cells.speakers), dimensions))[speaker_of(cells)]


def scores(points: NDArray[Any], cells: Cells) -> dict[str, Judged]:
    asked = groupings(cells, PAIR)
    judged = judge(points, weighted_sums(points, cells.member), cells, list(asked.values()))
    return dict(zip(asked, judged, strict=True))


def silhouettes_of(points: NDArray[Any], group: Sequence[int] | NDArray[np.intp]) -> Points:
    values: Points = silhouette_samples(points, group)
    return values


class TestSilhouettes:
    @pytest.mark.parametrize(("dimensions", "offset"), [(256, 0.0), (256, 50.0), (2, 0.0)])
    def test_equal_scikit_learns(self, dimensions: int, offset: float) -> None:
        cells = labels(700)
        points = (planted(cells, 0.4, dimensions) + offset).astype(np.float32)
        found = scores(points, cells)
        expected = silhouettes_of(points, emotion_of(cells))
        np.testing.assert_allclose(found["silhouette{}"].silhouettes, expected, atol=1e-6)
        expected = silhouettes_of(points, speaker_of(cells))
        np.testing.assert_allclose(found["speaker_silhouette{}"].silhouettes, expected, atol=1e-6)

    def test_within_a_speaker_are_those_of_that_speakers_clips_alone(self) -> None:
        cells = labels(300)
        points = planted(cells, 0.5, voices=2.0)
        found = scores(points, cells)["silhouette{}_within_speaker"].silhouettes
        for speaker in range(len(cells.speakers)):
            own = speaker_of(cells) == speaker
            expected = silhouettes_of(points[own], emotion_of(cells)[own])
            np.testing.assert_allclose(found[own], expected, atol=1e-6)

    def test_of_the_pair_leave_all_other_clips_out(self) -> None:
        cells = labels(300)
        points = planted(cells, 0.5)
        found = scores(points, cells)["pair_separation{}"].silhouettes
        rows = np.isin(emotion_of(cells), [cells.emotions.index(name) for name in PAIR])
        np.testing.assert_allclose(found[rows], silhouettes_of(points[rows], emotion_of(cells)[rows]), atol=1e-6)
        assert np.isnan(found[~rows]).all()

    def test_are_nan_for_a_speaker_who_has_one_emotion_alone(self) -> None:
        cells = Cells.of(["Angry", "Sleepy"] * 6 + ["Sleepy"] * 4, ["a"] * 12 + ["b"] * 4)
        found = scores(planted(cells, 1.0), cells)
        for name in ("silhouette{}_within_speaker", "pair_separation{}_within_speaker"):
            assert np.isnan(found[name].silhouettes[12:]).all()
            assert np.isfinite(found[name].silhouettes[:12]).all()

    @pytest.mark.parametrize("emotions", [[f"emotion {n}" for n in range(8)], ["Angry"] * 8], ids=["own", "one"])
    def test_are_nan_where_scikit_learn_refuses(self, emotions: list[str]) -> None:
        cells = Cells.of(emotions, list("aaaabbbb"))
        with pytest.raises(ValueError, match="Number of labels"):
            silhouettes_of(planted(cells, 1.0), emotion_of(cells))
        found = scores(planted(cells, 1.0), cells)
        for name in ("silhouette{}", "silhouette{}_within_speaker"):
            assert np.isnan(found[name].silhouettes).all()
            assert np.isnan(found[name].pseudo_values).all()

    def test_of_a_speaker_with_one_clip_of_each_emotion_are_nan_and_leave_the_others(self) -> None:
        cells = Cells.of(["Angry", "Sleepy"] * 6 + ["Angry", "Sleepy", "Neutral"], ["a"] * 12 + ["b"] * 3)
        found = scores(planted(cells, 1.0), cells)["silhouette{}_within_speaker"].silhouettes
        assert np.isnan(found[12:]).all()
        assert np.isfinite(found[:12]).all()

    def test_are_zero_for_a_lone_clip_and_for_clips_all_alike(self) -> None:
        cells = Cells.of(["Angry"] * 5 + ["Sleepy"], ["a"] * 6)
        assert scores(planted(cells, 1.0), cells)["silhouette{}"].silhouettes[-1] == 0
        assert not scores(np.ones((6, 3)), cells)["silhouette{}"].silhouettes.any()

    def test_do_not_change_with_scale_place_rotation_and_order(self) -> None:
        cells = labels(200)
        points = planted(cells, 0.5)
        expected = scores(points, cells)["silhouette{}"].silhouettes
        rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(16, 16)))
        np.testing.assert_allclose(
            scores(points @ rotation * 40 + 3, cells)["silhouette{}"].silhouettes, expected, atol=2e-6
        )
        order = np.random.default_rng(2).permutation(200)
        emotions = [cells.emotions[number] for number in emotion_of(cells)[order]]
        shuffled = Cells.of(emotions, [cells.speakers[number] for number in speaker_of(cells)[order]])
        found = scores(points[order], shuffled)["silhouette{}"].silhouettes
        np.testing.assert_allclose(found, expected[order], atol=1e-6)

    def test_grow_with_the_separation(self) -> None:
        cells = labels(200)
        means = [np.mean(scores(planted(cells, apart), cells)["silhouette{}"].silhouettes) for apart in (0, 0.5, 1, 2)]
        assert means == sorted(means)


class TestPseudoValues:
    def test_have_the_mean_silhouette_as_mean(self) -> None:
        cells = labels(200)
        for judged in scores(planted(cells, 0.5), cells).values():
            assert np.nanmean(judged.pseudo_values) == pytest.approx(np.nanmean(judged.silhouettes))

    def test_say_what_the_mean_does_when_a_clip_gets_more_weight(self) -> None:
        cells = labels(60)
        points = planted(cells, 0.5)
        pseudo = scores(points, cells)["silhouette{}"].pseudo_values
        mean = weighted_mean_silhouette(points, emotion_of(cells), np.ones(60))
        slopes = np.empty(60)
        for clip in range(60):
            weights = np.ones(60)
            weights[clip] += 1e-5
            slopes[clip] = (weighted_mean_silhouette(points, emotion_of(cells), weights) - mean) / 1e-5 * 60
        np.testing.assert_allclose(pseudo - pseudo.mean(), slopes - slopes.mean(), atol=1e-3)

    def test_give_intervals_that_cover_where_silhouettes_alone_do_not(self) -> None:
        cells = labels(100, speakers="a")
        means, by_pseudo, by_silhouette = [], [], []
        centres = 0.4 * np.random.default_rng(3).normal(size=(len(cells.emotions), 32))
        for seed in range(100):
            points = np.random.default_rng([4, seed]).normal(size=(100, 32)) + centres[emotion_of(cells)]
            judged = scores(points, cells)["silhouette{}"]
            means.append(judged.silhouettes.mean())
            by_pseudo.append(judged.pseudo_values.std(ddof=1) / 10)
            by_silhouette.append(judged.silhouettes.std(ddof=1) / 10)
        error = np.abs(np.array(means) - np.mean(means))
        assert np.mean(error < 1.96 * np.array(by_pseudo)) >= 0.93
        assert np.mean(error < 1.96 * np.array(by_silhouette)) < 0.9


def weighted_mean_silhouette(points: Points, group: NDArray[np.intp], weights: Points) -> float:
    """The definition, written out, for clips that count `weights` times."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    member = np.eye(group.max() + 1)[group] * weights[:, None]
    sums, sizes, clip = distances @ member, member.sum(axis=0), np.arange(len(points))
    within = sums[clip, group] / (sizes[group] - 1)
    means = sums / sizes
    means[clip, group] = np.inf
    between = means.min(axis=1)
    return float(np.average((between - within) / np.maximum(between, within), weights=weights))


def test_nearest_neighbours_equal_scikit_learns() -> None:
    points = np.random.default_rng(0).normal(size=(900, 64)).astype(np.float32)
    _, found = sums_and_nearest(points, np.ones((900, 1), np.float32), 15)
    distances, indices = NearestNeighbors(n_neighbors=15, algorithm="brute").fit(points).kneighbors(points)
    np.testing.assert_array_equal(found.indices, indices)
    np.testing.assert_allclose(found.distances, distances, atol=1e-5)


def test_a_point_is_its_own_first_neighbour_even_among_equals() -> None:
    _, found = sums_and_nearest(np.zeros((20, 64), np.float32), np.ones((20, 1), np.float32), 5)
    np.testing.assert_array_equal(found.indices[:, 0], np.arange(20))


ONE = [0] * 400
"""The speaker of 400 clips."""


def width(interval: Interval) -> float:
    return interval.high - interval.low


class TestDraws:
    def test_interval_over_the_clips_of_one_speaker_is_as_wide_as_the_normal_one_and_says_so(self) -> None:
        values = np.random.default_rng(0).normal(size=400)
        spread = Draws(ONE).spread(values[None])
        half = 1.96 * values.std() / 20
        assert spread.interval.low == pytest.approx(values.mean() - half, abs=0.1 * half)
        assert spread.interval.high == pytest.approx(values.mean() + half, abs=0.1 * half)
        assert spread.interval.over == "clips of one speaker"
        assert spread.resolution == pytest.approx(width(spread.interval) / 2)

    def test_speakers_who_disagree_widen_the_interval_to_students_t_and_not_the_resolution(self) -> None:
        values = np.random.default_rng(0).normal(size=400)
        speaker = np.arange(400) % 4
        means = np.array([-3.0, -1.0, 1.0, 3.0])
        agreed, apart = (Draws(speaker).spread((values + by * means[speaker])[None]) for by in (0.0, 1.0))
        half = 3.18 * means.std(ddof=1) / 2  # t with three degrees of freedom
        assert width(apart.interval) / 2 == pytest.approx(half, rel=0.1)
        assert width(agreed.interval) < 0.3 * width(apart.interval)
        assert apart.interval.over == "speakers and clips"
        assert apart.resolution == pytest.approx(agreed.resolution, rel=0.01)
        assert apart.resolution == pytest.approx(1.96 * values.std() / 20, rel=0.1)

    def test_speakers_without_a_value_take_no_part(self) -> None:
        values = np.random.default_rng(0).normal(size=(1, 400))
        speaker = np.arange(400) % 4
        two = np.where(speaker < 2, values, np.nan)
        alone = Draws(speaker[speaker < 2]).spread(values[:, speaker < 2])
        found = Draws(speaker).spread(two)
        assert found.interval.over == "speakers and clips"
        assert width(found.interval) == pytest.approx(width(alone.interval), rel=0.1)
        one = Draws(speaker).spread(np.where(speaker == 2, values, np.nan))
        assert one.interval.over == "clips of one speaker"

    def test_seeds_that_disagree_widen_the_interval_and_the_resolution(self) -> None:
        values = np.tile(np.random.default_rng(0).normal(size=400), (5, 1))
        agreed = Draws(ONE).spread(values)
        apart = Draws(ONE).spread(values + np.array([[-0.4], [-0.2], [0], [0.2], [0.4]]))
        assert width(apart.interval) > 2 * width(agreed.interval)
        assert apart.resolution > 2 * agreed.resolution
        assert apart.interval.over == "clips of one speaker and seeds"
        assert Draws(np.arange(400) % 3).spread(values).interval.over == "speakers, clips and seeds"

    def test_clips_without_a_value_take_no_part(self) -> None:
        values = np.random.default_rng(0).normal(size=(1, 50))
        padded = np.concatenate([values, np.full((1, 50), np.nan)], axis=1)
        alone, found = (Draws(ONE[: v.shape[1]]).spread(v).interval for v in (values, padded))
        assert found.low == pytest.approx(alone.low, abs=0.1)

    @pytest.mark.parametrize(("clips", "moved"), [(60, 0.020), (620, 0.0075)])
    def test_a_map_leaves_open_by_what_another_layout_moves(self, clips: int, moved: float) -> None:
        """Clips that agree wholly leave nothing open in space; the layout moves by what was seen to."""
        values, speakers = np.full((3, clips), 0.3), np.arange(clips) % 3
        space, one, two = (Draws(speakers).spread(values, 1, maps) for maps in (0, 1, 2))
        assert width(space.interval) == pytest.approx(0, abs=1e-5)
        assert moved <= one.resolution <= 1.3 * moved
        assert width(one.interval) == pytest.approx(2 * one.resolution, abs=1e-5)
        assert two.resolution == pytest.approx(2**0.5 * one.resolution, abs=1e-5), "of a difference of two maps"

    def test_the_interval_ends_where_the_mean_cannot_be(self) -> None:
        spread = Draws([0, 1] * 50).spread(np.tile([-0.9, 0.9], 50)[None], bound=1)
        assert (spread.interval.low, spread.interval.high) == (-1, 1)

    def test_five_clips_are_too_few(self) -> None:
        with pytest.raises(Undefined, match="at least 6 of them, got 5"):
            Draws([0, 0, 1, 1, 1]).spread(np.zeros((1, 5)))


ASKED = Parameters(layers=(0, 1, 2), codebooks=3, differences=((2, 0), (0, 2)), pair_differences=((0, 2),))


def layered(cells: Cells, folder: Path, separations: Sequence[float]) -> Vectors:
    """A file of vectors whose layers have these separations, the speakers lying apart in all of them."""
    layers = [planted(cells, apart, seed=number, voices=0.5) for number, apart in enumerate(separations)]
    np.save(folder / "vectors.npy", np.stack(layers, axis=1).astype(np.float32))
    return Vectors(folder / "vectors.npy", f"planted {separations}")


def look(cells: Cells, folder: Path, separations: Sequence[float], jobs: int = 1) -> Separation:
    vectors = layered(cells, folder, separations)
    return separate(vectors, cells, ASKED, store=folder / f"store {jobs}", jobs=jobs, progress=report_nothing)


def measured(found: Separation) -> dict[str, Measurement]:
    scorer = Scorer(found.samples, ASKED.seeds, "demonstration")
    return {measurement.name: measurement for measurement in scorer.measurements(ASKED)}


@pytest.fixture(scope="module")
def cells() -> Cells:
    return labels(90)


@pytest.fixture(scope="module")
def found(cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> Separation:
    return look(cells, tmp_path_factory.mktemp("planted"), (1.0, 0.5, 0.0))


class TestSeparation:
    def test_is_found_where_it_was_planted(self, found: Separation) -> None:
        known = measured(found)
        for place in ("", "_map"):
            difference = known[f"silhouette{place}_difference.layer_2_minus_0"]
            assert difference.interval
            assert difference.interval.high < 0
            assert float(known[f"permutation_p{place}.layer_2_minus_0"].value or 1) < 0.01
            assert float(known[f"pair_separation{place}_difference.layer_0_minus_2"].value or 0) > 0

    def test_the_difference_of_layers_changes_its_sign_with_their_order(self, found: Separation) -> None:
        known = measured(found)
        forth = known["silhouette_map_difference.layer_2_minus_0"]
        back = known["silhouette_map_difference.layer_0_minus_2"]
        assert forth.value == pytest.approx(-float(back.value or 0))
        assert known["permutation_p_map.layer_2_minus_0"].value == known["permutation_p_map.layer_0_minus_2"].value

    def test_a_map_has_an_interval_over_clips_and_seeds_and_one_over_seeds(self, found: Separation) -> None:
        known = measured(found)
        both, seeds = known["silhouette_map.layer_0"], known["silhouette_map_over_seeds.layer_0"]
        assert both.interval
        assert both.interval.over == "speakers, clips and seeds"
        assert seeds.interval
        assert seeds.interval.over == "seeds"
        assert (seeds.n, both.n) == (5, 90)
        assert seeds.value == pytest.approx(both.value)

    def test_the_resolution_is_what_clips_and_seeds_leave_of_the_interval(self, found: Separation) -> None:
        known = measured(found)
        for name in ("silhouette_map.layer_0", "silhouette_map_difference.layer_2_minus_0", "silhouette.layer_1"):
            whole, resolution = known[name], known[name.replace(".", "_resolution.")]
            assert whole.interval
            assert 0 < float(resolution.value or 0) < width(whole.interval) / 2, name
            assert resolution.n == whole.n
        same = known["silhouette_map_difference_resolution.layer_0_minus_2"].value
        assert known["silhouette_map_difference_resolution.layer_2_minus_0"].value == pytest.approx(same, rel=0.01)

    def test_one_speaker_gives_an_interval_over_clips_that_says_so(self, tmp_path: Path) -> None:
        known = measured(look(labels(40, speakers="a"), tmp_path, (1.0, 0.5, 0.0)))
        space, of_map = known["silhouette.layer_0"].interval, known["silhouette_map.layer_0"].interval
        assert space
        assert of_map
        assert (space.over, of_map.over) == ("clips of one speaker", "clips of one speaker and seeds")

    def test_every_name_was_announced(self, found: Separation) -> None:
        announced = {quantity.name for quantity in quantities(ASKED) if not quantity.name.startswith("corpus.")}
        assert announced == set(measured(found))

    def test_every_value_lies_within_the_announced_bounds(self, found: Separation) -> None:
        bounds = {quantity.name: (quantity.low, quantity.high) for quantity in quantities(ASKED)}
        for name, measurement in measured(found).items():
            low, high = bounds[name]
            assert (low or 0) <= float(measurement.value or 0) <= (high or 0), name

    def test_is_the_same_whatever_the_number_of_processes(
        self, cells: Cells, found: Separation, tmp_path: Path
    ) -> None:
        again = look(cells, tmp_path, (1.0, 0.5, 0.0), jobs=2)
        assert found.maps.keys() == again.maps.keys()
        for key, points in found.maps.items():
            np.testing.assert_array_equal(points, again.maps[key])
        assert measured(found) == measured(again)

    def test_an_interrupted_run_goes_on_where_it_was(self, cells: Cells, tmp_path: Path) -> None:
        vectors = layered(cells, tmp_path, (1.0, 0.5, 0.0))
        heard: list[str] = []

        def stop_at_the_third_map(what: str, _done: float) -> None:
            heard.append(what)
            if sum("UMAP" in line for line in heard) == 3:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            separate(vectors, cells, ASKED, store=tmp_path / "store", jobs=1, progress=stop_at_the_third_map)
        made = {path: path.stat().st_mtime_ns for path in (tmp_path / "store" / "blobs").rglob("[!.]*.npz")}
        assert len(made) >= 6
        separate(vectors, cells, ASKED, store=tmp_path / "store", jobs=1, progress=report_nothing)
        assert {path: path.stat().st_mtime_ns for path in made} == made

    def test_silhouettes_of_maps_agree_with_the_librarys_defaults(self, cells: Cells, found: Separation) -> None:
        import umap

        for layer in (0, 2):
            points = planted(cells, (1.0, 0.5, 0.0)[layer], seed=layer, voices=0.5).astype(np.float32)
            theirs = [
                silhouettes_of(umap.UMAP(random_state=seed, n_jobs=1).fit_transform(points), emotion_of(cells)).mean()
                for seed in ASKED.seeds
            ]
            ours = found.samples.values["silhouette_map", layer].silhouettes.mean(axis=1)
            spread = max(np.ptp(theirs), np.ptp(ours))
            assert abs(np.mean(theirs) - ours.mean()) <= spread


class TestUndefined:
    def test_the_pair_is_undefined_where_the_corpus_has_few_sleepy_clips(self, tmp_path: Path) -> None:
        cells = Cells.of(["Angry", "Neutral"] * 9 + ["Sleepy"] * 2, ["a"] * 20)
        why = "the corpus has 2 clips of Sleepy, a pair needs 5 of each"
        known = measured(look(cells, tmp_path, (1.0, 0.5, 0.0)))
        assert known["pair_separation_map.layer_1"].undefined == why
        assert known["permutation_p_pair_map.layer_0_minus_2"].undefined == why
        assert known["speaker_silhouette.layer_0"].undefined == "the corpus has one speaker"
        assert known["silhouette_map.layer_0"].value is not None

    def test_every_clip_a_label_of_its_own_is_undefined_and_so_is_its_p(self, tmp_path: Path) -> None:
        cells = Cells.of([f"emotion {number}" for number in range(40)], ["a", "b"] * 20)
        known = measured(look(cells, tmp_path, (1.0, 0.5, 0.0)))
        for name in ("silhouette.layer_0", "silhouette_map.layer_0", "permutation_p.layer_2_minus_0"):
            assert known[name].value is None
            assert known[name].undefined == "every clip has a label of its own"

    def test_every_clip_a_speaker_of_its_own_is_undefined(self, tmp_path: Path) -> None:
        cells = Cells.of(["Angry", "Sleepy"] * 20, [f"speaker {number}" for number in range(40)])
        known = measured(look(cells, tmp_path, (1.0, 0.5, 0.0)))
        assert known["speaker_silhouette.layer_0"].undefined == "every clip is of a speaker of its own"
        assert "no speaker has clips of two of the emotions" in (
            known["silhouette_within_speaker.layer_0"].undefined or ""
        )

    def test_too_few_clips_for_a_map_and_a_layer_without_variety_say_so(self, tmp_path: Path) -> None:
        cells = Cells.of(["Angry", "Sleepy"] * 6, ["a", "b", "b"] * 4)
        vectors = layered(cells, tmp_path, (1.0, 0.5, 0.0))
        content = np.load(vectors.path)
        content[:, 1] = 1
        np.save(vectors.path, content)
        known = measured(separate(vectors, cells, ASKED, store=tmp_path, jobs=1, progress=report_nothing))
        assert "needs more clips than that, got 12" in (known["silhouette_map.layer_0"].undefined or "")
        assert known["silhouette.layer_0"].value is not None
        assert "same vector" in (known["silhouette.layer_1"].undefined or "")
        assert "same vector" in (known["pair_separation.layer_1"].undefined or "")


class TestParameters:
    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"layers": (0, 6)}, "layer 16 is compared, but `layers` leaves it out"),
            ({"codebooks": 8}, "layer 16 needs more than 8 codebooks"),
            ({"pair": ("Sleepy", "Bored")}, "`pair` names Bored, which `emotions` does not"),
            ({"seeds": (0, 1, 2, 3, 3)}, "`seeds` names 3 twice"),
            ({"emotions": ("Angry", "Sleepy", "angry")}, "`emotions` names angry twice"),
            ({"seeds": (0, 1)}, "at least 5 items"),
        ],
    )
    def test_what_cannot_be_asked_is_refused(self, given: dict[str, Any], message: str) -> None:
        with pytest.raises(ValidationError, match=message):
            Parameters(**given)

    def test_all_means_every_codebook(self) -> None:
        assert Parameters(layers="all").chosen == tuple(range(32))

    def test_names_that_the_quiz_relies_on(self) -> None:
        names = {quantity.name for quantity in quantities(Parameters())}
        assert names >= {
            "silhouette_map.layer_0",
            "silhouette_map_difference.layer_31_minus_0",
            "silhouette_map_within_speaker.layer_31",
            "silhouette_map_within_speaker_difference.layer_31_minus_0",
            "silhouette_map_difference_resolution.layer_31_minus_0",
            "silhouette_resolution.layer_0",
            "pair_separation_map.layer_6",
            "pair_separation_map_difference.layer_6_minus_16",
            "permutation_p.layer_31_minus_0",
            "speaker_silhouette.layer_16",
            "corpus.missing",
        }
