"""The evaluator through a small codec with random weights: vectors, labels, artefacts, resumption.

On real speech where it lies beside the checkout, and always on the built-in voices.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from audio.clip import load
from audio.codec import load_codec
from audio.codec.weights import find_weights
from basics.errors import InputError, Unavailable
from basics.files import sha256_of
from evaluators.evidence import Evidence, Site
from evaluators.gathering import gather
from evaluators.layer_separation import LayerSeparation
from evaluators.layer_separation.display import corpus_files
from evaluators.layer_separation.measuring import clip_codes, mean_vectors
from evaluators.layer_separation.parameters import Parameters
from evaluators.store import Store
from tests.checkpoints import random_checkpoint

ASKED = Parameters(
    layers=(0, 3), codebooks=4, emotions=("Angry", "Neutral", "Sleepy"), differences=((3, 0),), pair_differences=()
)
REAL, BUILT_IN = ("ravdess_01", "ravdess_02", "ravdess_03"), ("awb", "fay", "slt")
"""Speakers; both corpora have disgusted clips, too, which are not asked for."""
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module", params=["RAVDESS", "built in"])
def corpus(request: pytest.FixtureRequest, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three speakers, of whom the first has no neutral clips."""
    real = request.param == "RAVDESS"
    rows = real_clips(request.getfixturevalue("shared")) if real else built_in_clips(repository)
    folder = tmp_path_factory.mktemp("corpus")
    write_manifest(folder, [row for row in rows if (row["speaker"], row["label"]) != (speakers(rows)[0], "neutral")])
    return folder


def real_clips(shared: Path) -> Rows:
    home = shared / "audio" / "emotion"
    with (home / "manifest.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["speaker"] in REAL and row["label"] not in ("calm", "happy")]
    return [{**row, "file": str(home / row["file"])} for row in rows]


def built_in_clips(repository: Path) -> Rows:
    paths = sorted((repository / "audio/clips/styles").glob("*/*.flac"))
    cells = [(path, *path.parent.name.lower().split("_")) for path in paths]
    return [
        {"file": str(path), "label": label, "speaker": speaker}
        for path, speaker, label in cells
        if speaker in BUILT_IN and label in ("angry", "neutral", "disgusted")
    ]


def speakers(rows: Rows) -> list[str]:
    return sorted({row["speaker"] for row in rows})


def write_manifest(folder: Path, rows: Rows) -> None:
    """A manifest beside links to its files."""
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["file", "label", "speaker"])
        writer.writeheader()
        for row in rows:
            path = Path(row["file"])
            link = folder / (path.name if path.parent == folder else f"{row['speaker']}_{path.name}")
            link.symlink_to(row["file"])
            writer.writerow({"file": link.name, "label": row["label"], "speaker": row["speaker"]})


@pytest.fixture(scope="module")
def site(corpus: Path, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(corpus=corpus, codec=str(checkpoint), cache=tmp_path_factory.mktemp("cache"), jobs=1, device="cpu")


@pytest.fixture(scope="module")
def evidence(site: Site) -> Evidence:
    return gather(LayerSeparation(), ASKED, site, Store(site.cache)).evidence


def clips_of(corpus: Path, labels: Sequence[str] = ("angry", "neutral")) -> Rows:
    with (corpus / "manifest.csv").open(encoding="utf-8") as file:
        return sorted((row for row in csv.DictReader(file) if row["label"] in labels), key=lambda row: row["file"])


def artefact(evidence: Evidence, site: Site, title: str) -> Path:
    assert site.cache
    return site.cache / next(one.path for one in evidence.artefacts if one.title.startswith(title))


class TestVectors:
    def test_are_what_the_courses_procedure_gives_with_transformers(
        self, corpus: Path, checkpoint: Path, tmp_path: Path
    ) -> None:
        import torch
        from transformers import MimiModel

        path = corpus / clips_of(corpus)[0]["file"]
        codec, store = load_codec(checkpoint, device="cpu"), Store(tmp_path)
        found = np.load(mean_vectors(codec, [(path, "content")], 4, store, lambda *_: None).path)
        (codes,) = clip_codes(codec, [(path, "content")], 4, store)
        model = MimiModel.from_pretrained(checkpoint)
        with torch.no_grad():
            sound = torch.from_numpy(load(path, 24_000).samples)[None, None]
            theirs = model.encode(sound, num_quantizers=4).audio_codes[0].numpy()
        assert (codes == theirs).mean() > 0.97  # near-ties between two codes go either way
        semantic = model.quantizer.semantic_residual_vector_quantizer.layers
        acoustic = model.quantizer.acoustic_residual_vector_quantizer.layers
        for layer, quantizer in enumerate([semantic[0], *acoustic[:3]]):
            expected = quantizer.codebook.embed[codes[layer]].mean(dim=0).detach().numpy()
            np.testing.assert_allclose(found[0, layer], expected, atol=1e-5)

    def test_have_one_row_for_each_clip_whatever_the_batch(
        self, corpus: Path, checkpoint: Path, tmp_path: Path
    ) -> None:
        codec = load_codec(checkpoint, device="cpu")
        paths = [corpus / row["file"] for row in clips_of(corpus)[:5]]
        sounds = [(path, sha256_of(path)) for path in paths]
        together = np.load(mean_vectors(codec, sounds, 4, Store(tmp_path / "a"), lambda *_: None).path)
        alone = [
            np.load(mean_vectors(codec, [sound], 4, Store(tmp_path / "b"), lambda *_: None).path)[0] for sound in sounds
        ]
        assert together.dtype == np.float32
        np.testing.assert_array_equal(together, np.stack(alone))

    def test_codes_that_the_store_knows_are_not_computed_again(
        self, corpus: Path, checkpoint: Path, tmp_path: Path
    ) -> None:
        codec = load_codec(checkpoint, device="cpu")
        path = corpus / clips_of(corpus)[0]["file"]
        (first,) = clip_codes(codec, [(path, "content")], 4, Store(tmp_path))
        (again,) = clip_codes(codec, [(tmp_path / "gone.flac", "content")], 4, Store(tmp_path))
        np.testing.assert_array_equal(first, again)


class TestEvidence:
    def test_has_every_announced_name_as_a_demonstration(self, evidence: Evidence) -> None:
        announced = {quantity.name for quantity in LayerSeparation().quantities(ASKED)}
        assert {measurement.name for measurement in evidence.measurements} == announced
        assert {measurement.source for measurement in evidence.measurements} == {"demonstration"}

    @pytest.mark.parametrize(
        ("step", "source"), [(1, "demonstration"), (-1, "measured")], ids=["forwards", "backwards"]
    )
    def test_built_in_voices_are_a_demonstration_even_through_the_codec_of_record(
        self, repository: Path, checkpoint: Path, tmp_path: Path, step: int, source: str
    ) -> None:
        rows = []
        for number, row in enumerate(built_in_clips(repository)):
            sound, rate = soundfile.read(row["file"], dtype="int16")
            path = tmp_path / f"{row['label']}_{number:03}.wav"
            soundfile.write(path, sound[::step], rate)
            rows.append({**row, "file": str(path)})
        corpus = tmp_path / "corpus"
        corpus.mkdir()
        write_manifest(corpus, rows)
        asked, codec = ASKED.model_copy(update={"differences": ()}), str(checkpoint)
        known = (find_weights(codec).digest,)
        site = Site(
            corpus=corpus,
            codec=codec,
            codec_of_record=codec,
            codec_sha256=known,
            cache=tmp_path,
            jobs=1,
            device="cpu",
        )
        found = LayerSeparation().measure(asked, site)
        assert {measurement.source for measurement in found.measurements} == {source}
        told = gather(LayerSeparation(), asked, site, Store(tmp_path)).evidence
        assert {measurement.source for measurement in told.measurements} == {source}

    def test_says_what_the_corpus_has_and_lacks(self, evidence: Evidence, corpus: Path) -> None:
        known = {measurement.name: measurement for measurement in evidence.measurements}
        assert known["corpus.clips"].value == len(clips_of(corpus))
        assert "left out: Disgusted" in known["corpus.clips"].note
        names = speakers(clips_of(corpus))
        assert known["corpus.missing"].value == f"{names[0]}: Neutral; everybody: Sleepy"
        counts = Counter((row["speaker"], row["label"]) for row in clips_of(corpus))
        table = np.array([[counts[speaker, label] for label in ("angry", "neutral")] for speaker in names])
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
        cramers_v = np.sqrt(((table - expected) ** 2 / expected).sum() / table.sum())
        assert known["corpus.speaker_emotion_association"].value == pytest.approx(cramers_v)

    def test_the_table_traces_every_point_to_its_file(self, evidence: Evidence, site: Site, corpus: Path) -> None:
        with artefact(evidence, site, "Every point").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        clips = {row["file"]: row for row in clips_of(corpus)}
        assert Counter((row["layer"], row["seed"]) for row in rows) == {
            (str(layer), str(seed)): len(clips) for layer in ASKED.chosen for seed in ASKED.seeds
        }
        assert all(clips[row["file"]]["label"] == row["label"].casefold() for row in rows)
        assert all(clips[row["file"]]["speaker"] == row["speaker"] for row in rows)

    def test_the_mean_over_speakers_is_the_within_speaker_value(
        self, evidence: Evidence, site: Site, corpus: Path
    ) -> None:
        known = {measurement.name: measurement for measurement in evidence.measurements}
        with artefact(evidence, site, "Silhouettes of the emotions within").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if (row["layer"], row["place"]) == ("3", "map")]
        assert [row["speaker"] for row in rows] == speakers(clips_of(corpus))
        assert rows[0]["silhouette"] == ""  # angry clips alone
        weights = [int(row["clips"]) for row in rows[1:]]
        mean = np.average([float(row["silhouette"]) for row in rows[1:]], weights=weights)
        assert known["silhouette_map_within_speaker.layer_3"].value == pytest.approx(mean, abs=1e-4)

    def test_the_plots_show_something(self, evidence: Evidence, site: Site) -> None:
        for title in ("UMAP maps", "Silhouettes by layer"):
            with Image.open(artefact(evidence, site, title)) as image:
                assert min(image.size) > 300
                assert len(image.convert("RGB").getcolors(1_000_000) or ()) > 20

    def test_is_the_same_without_a_cache_but_for_the_artefacts(self, evidence: Evidence, site: Site) -> None:
        bare = Site(corpus=site.corpus, codec=site.codec, jobs=1, device="cpu")
        findings = LayerSeparation().measure(ASKED, bare)
        assert findings.measurements == evidence.measurements
        assert findings.artefacts == ()

    def test_depends_on_labels_and_sounds_and_not_on_the_folder(self, site: Site, corpus: Path, tmp_path: Path) -> None:
        rows = [{**row, "file": str((corpus / row["file"]).resolve())} for row in clips_of(corpus)]
        (tmp_path / "moved").mkdir()
        (tmp_path / "relabelled").mkdir()
        write_manifest(tmp_path / "moved", rows)
        write_manifest(tmp_path / "relabelled", [{**rows[0], "label": "sleepy"}, *rows[1:]])
        files = [
            LayerSeparation().inputs(ASKED, Site(corpus=folder, codec=site.codec)).files
            for folder in (corpus, tmp_path / "moved", tmp_path / "relabelled")
        ]
        assert files[0] == files[1] != files[2]

    def test_is_the_same_for_either_spelling_of_the_labels(
        self, evidence: Evidence, site: Site, corpus: Path, tmp_path: Path
    ) -> None:
        other = {"angry": " ANGER", "neutral": "Neutralität", "disgusted": "disgust", "disgust": "厭惡"}
        write_manifest(
            tmp_path,
            [
                {**row, "file": str((corpus / row["file"]).resolve()), "label": other[row["label"]]}
                for row in clips_of(corpus, tuple(other))
            ],
        )
        told = gather(LayerSeparation(), ASKED, replace(site, corpus=tmp_path), Store(site.cache)).evidence
        assert told.fingerprint == evidence.fingerprint
        assert LayerSeparation().measure(ASKED, replace(site, corpus=tmp_path)).measurements == evidence.measurements

    def test_counts_a_copy_once_and_says_so(self, evidence: Evidence, site: Site, corpus: Path, tmp_path: Path) -> None:
        rows = [{**row, "file": str((corpus / row["file"]).resolve())} for row in clips_of(corpus)]
        write_manifest(tmp_path, rows)
        copy = tmp_path / "zz_backup.wav"
        soundfile.write(copy, *soundfile.read(rows[0]["file"], dtype="int16"))
        with (tmp_path / "manifest.csv").open("a", encoding="utf-8") as file:
            file.write(f"{copy.name},{rows[0]['label']},{rows[0]['speaker']}\n")
        known = {m.name: m for m in LayerSeparation().measure(ASKED, replace(site, corpus=tmp_path)).measurements}
        assert [known[m.name].value for m in evidence.measurements] == [m.value for m in evidence.measurements]
        assert [known[m.name].interval for m in evidence.measurements] == [m.interval for m in evidence.measurements]
        assert "1 copy, counted once: zz_backup.wav is " in known["corpus.clips"].note

    def test_says_what_was_left_out_as_asked(self, site: Site, corpus: Path) -> None:
        gone = clips_of(corpus)[0]["file"]
        asked = replace(site, leave_out=(gone, "disgust"))
        known = {m.name: m for m in LayerSeparation().measure(ASKED, asked).measurements}
        assert known["corpus.clips"].value == len(clips_of(corpus)) - 1
        assert f"1 clip left out as asked: {gone}" in known["corpus.missing"].note
        assert LayerSeparation().inputs(ASKED, asked).files != LayerSeparation().inputs(ASKED, site).files
        told = gather(LayerSeparation(), ASKED, asked, Store(site.cache)).evidence
        assert sorted(corpus_files(told, corpus)) == [row["file"] for row in clips_of(corpus)[1:]], (
            "the page plays them"
        )


class TestRefusals:
    def test_one_sound_under_two_labels_is_refused_with_both(self, corpus: Path, site: Site, tmp_path: Path) -> None:
        rows = [{**row, "file": str((corpus / row["file"]).resolve())} for row in clips_of(corpus)]
        write_manifest(tmp_path, [*rows, {**rows[0], "label": "sleepy", "speaker": "else"}])
        with pytest.raises(InputError, match=r"said to be several things: (?=.*Angry)(?=.*else Sleepy)"):
            LayerSeparation().inputs(ASKED, replace(site, corpus=tmp_path))

    def test_without_a_corpus_the_remedy_names_one(self, checkpoint: Path) -> None:
        with pytest.raises(Unavailable, match="--corpus DIR"):
            LayerSeparation().inputs(ASKED, Site(codec=str(checkpoint)))

    def test_a_corpus_of_other_emotions_is_named(self, corpus: Path, checkpoint: Path) -> None:
        asked = Parameters(emotions=("Sleepy", "Amused"), pair=("Sleepy", "Amused"))
        with pytest.raises(Unavailable, match="no clips of Sleepy, Amused, only of Angry, Disgusted"):
            LayerSeparation().inputs(asked, Site(corpus=corpus, codec=str(checkpoint)))

    def test_more_codebooks_than_the_codec_has_are_refused(self, site: Site) -> None:
        with pytest.raises(InputError, match=r"33 wanted, .* has 32"):
            LayerSeparation().measure(Parameters(codebooks=33), site)


def test_the_vocabulary_needs_no_numpy() -> None:
    code = (
        "import sys, evaluators.layer_separation as l; list(l.LayerSeparation().quantities(l.vocabulary.Parameters()))"
    )
    subprocess.run([sys.executable, "-c", f"{code}; assert 'numpy' not in sys.modules"], check=True)


def test_every_clip_that_cannot_be_read_is_named_at_once(corpus: Path, site: Site, tmp_path: Path) -> None:
    rows = clips_of(corpus)
    write_manifest(tmp_path, [{**row, "file": str((corpus / row["file"]).resolve())} for row in rows])
    spoilt = [rows[0]["file"], rows[-1]["file"]]
    for name in spoilt:
        (tmp_path / name).unlink()
        (tmp_path / name).write_text("not sound")
    with pytest.raises(InputError) as caught:
        LayerSeparation().measure(ASKED, replace(site, corpus=tmp_path))
    assert sorted(Path(problem.where).name for problem in caught.value.problems) == sorted(spoilt)


def test_a_silent_clip_is_left_out_and_told(repository: Path, checkpoint: Path, tmp_path: Path) -> None:
    """It has a vector, that of no sound: it would be a point of its label's cloud."""
    from rich.console import Console

    from evaluators.display import Text, panels_of
    from grader.verdicts import terminal

    corpus, silent = tmp_path / "corpus", tmp_path / "nothing.wav"
    corpus.mkdir()
    soundfile.write(silent, np.zeros(24_000), 24_000)
    rows = [row for row in built_in_clips(repository) if row["label"] in ("angry", "neutral")]
    write_manifest(corpus, [*rows, {"file": str(silent), "label": "angry", "speaker": "awb"}])
    asked = ASKED.model_copy(update={"layers": (0,), "differences": ()})
    site = Site(corpus=corpus, codec=str(checkpoint), cache=tmp_path, jobs=1, device="cpu")
    found = gather(LayerSeparation(), asked, site, Store(tmp_path)).evidence
    known = {measurement.name: measurement for measurement in found.measurements}
    assert known["corpus.clips"].value == len(rows)
    assert "silent, left out: awb_nothing.wav" in known["corpus.missing"].note
    (warning,) = [one for one in found.warnings if one.startswith("silent")]
    assert warning == "silent, 1 clip: awb_nothing.wav (its peak is below -70 dBFS)"
    shown = panels_of(found, site)[0]
    assert isinstance(shown, Text)
    assert shown.paragraphs == found.warnings
    out = Console(record=True, width=200)
    terminal._show_evidence(out, found, [], tmp_path, "earwitness report")
    assert f"warning: {warning}" in out.export_text()


def test_a_corpus_of_silence_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    for label in ("angry", "neutral"):
        for number in range(8):
            soundfile.write(tmp_path / f"{label}_{number}.wav", np.zeros(24_000 + number), 24_000)
    rows = [
        {"file": f"{label}_{n}.wav", "label": label, "speaker": "awb"}
        for label in ("angry", "neutral")
        for n in range(8)
    ]
    with (tmp_path / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["file", "label", "speaker"])
        writer.writeheader()
        writer.writerows(rows)
    site = Site(corpus=tmp_path, codec=str(checkpoint), device="cpu", jobs=1)
    with pytest.raises(Unavailable, match="every clip of the corpus is silent"):
        LayerSeparation().measure(ASKED, site)
