"""How far emotions separate in each codebook layer of a codec, in the vectors' own space and in UMAP maps.

For each clip and layer every token is looked up in that layer's own codebook and the vectors are averaged over time
(the course's procedure). A silhouette says how far the emotions separate, pooled and within each speaker; intervals are
over speakers, clips and UMAP seeds. See docs/evaluators/layer_separation.md for every name and its method.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from evaluators.display import Panel
from evaluators.evidence import Evidence, Findings, Frozen, Inputs, Quantity, Site
from evaluators.layer_separation import parameters as vocabulary


class LayerSeparation:
    """Measures the emotional speech of the site's corpus through the site's codec."""

    name: ClassVar[str] = "layer_separation"
    version: ClassVar[int] = 3
    stored: ClassVar[bool] = True
    Parameters: ClassVar[type[Frozen]] = vocabulary.Parameters

    def quantities(self, parameters: vocabulary.Parameters) -> Iterable[Quantity]:
        """Every name `measure` returns, whether defined or not."""
        return vocabulary.quantities(parameters)

    def inputs(self, parameters: vocabulary.Parameters, site: Site) -> Inputs:
        """The clips of the wanted emotions with their labels, the codec's weights, and the packages that move numbers.

        Raises Unavailable without a corpus or weights.
        """
        from evaluators.layer_separation import measuring

        return measuring.inputs(parameters, site)

    def measure(self, parameters: vocabulary.Parameters, site: Site) -> Findings:
        """Encode, map, judge and draw; all that takes time is kept in the site's cache and found there again."""
        from evaluators.layer_separation import measuring

        return measuring.measure(parameters, site)

    def display(self, evidence: Evidence, site: Site) -> Sequence[Panel]:
        """Maps that can be heard, and silhouettes by layer."""
        from evaluators.layer_separation.display import display

        return tuple(display(evidence, site))
