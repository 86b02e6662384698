"""The words of the demo collection: channels, titles and the sentences that the voices say.

All of it is invented for this recipe. Channels and people do not exist; places are only named.
"""

from __future__ import annotations

import re

import numpy as np

CATEGORIES: tuple[str, ...] = ("food", "travel", "history", "art_music")

CHANNELS: dict[str, tuple[str, ...]] = {
    "Butter First": ("food",),
    "The Patient Dumpling": ("food",),
    "Wok Before Noon": ("food",),
    "Grandfather's Ladle": ("food",),
    "Two Spoons, One Table": ("food",),
    "Crumb by Crumb": ("food",),
    "Fork and Ferry": ("food", "travel"),
    "Last Bus North": ("travel",),
    "Pocket Atlas": ("travel",),
    "Slow Train Diaries": ("travel",),
    "Wrong Turn Right Place": ("travel",),
    "Sandals in the Snow": ("travel",),
    "Window Seat Wanda": ("travel",),
    "The Dusty Footnote": ("history",),
    "Castles at Closing Time": ("history",),
    "Coins and Kings": ("history",),
    "Yesterday in Ten Objects": ("history",),
    "Letters from the Archive": ("history",),
    "Old Stones Talking": ("history",),
    "A Minor Detour": ("art_music",),
    "Paint Dries Loudly": ("art_music",),
    "The Second Violin": ("art_music",),
    "Scales and Varnish": ("art_music",),
    "Brushwork and Brass": ("art_music",),
    "Lute Again, Please": ("art_music",),
    "Gallery After Dark": ("art_music",),
}

WORDS: dict[str, tuple[str, ...]] = {
    "dish": (
        "onion soup", "lentil curry", "fried rice", "apple cake", "pumpkin dumplings", "garlic noodles", "bean stew",
        "lemon chicken", "potato pancakes", "mushroom pie", "fish tacos", "flat bread", "plum jam", "pepper omelette",
    ),
    "herb": ("coriander", "thyme", "ginger", "cumin", "basil", "mustard seed", "paprika", "cardamom"),
    "city": (
        "Bangkok", "Lisbon", "Kyoto", "Tbilisi", "Marrakesh", "Oaxaca", "Istanbul", "Hanoi", "Palermo", "Porto",
        "Riga", "Zanzibar", "Cusco", "Bergen", "Kochi", "Valparaiso",
    ),
    "land": ("the coast of Norway", "northern Vietnam", "the Azores", "the high Atlas", "Patagonia", "Sri Lanka",
             "the Faroe Islands", "the Mekong", "Sardinia", "the lakes of Finland"),
    "ruler": ("a forgotten queen", "the young emperor", "a stubborn duke", "the last abbess", "a merchant prince",
              "the boy king", "a clever regent"),
    "relic": ("bronze mirror", "broken sword", "clay tablet", "wooden shield", "silver coin", "wax seal",
              "ivory comb", "iron key", "painted map"),
    "ruin": ("the river fort", "the old abbey", "the salt road", "the drowned harbour", "the northern wall",
             "the royal mint", "the hill castle", "the pilgrim bridge"),
    "century": ("ninth", "eleventh", "thirteenth", "fourteenth", "sixteenth", "seventeenth", "eighteenth"),
    "instrument": ("lute", "cello", "flute", "pipe organ", "harp", "viola", "harpsichord", "guitar"),
    "form": ("a slow sarabande", "a short fugue", "an old lullaby", "a village waltz", "a morning raga",
             "a folk song", "a chaconne", "a nocturne"),
    "picture": ("a winter landscape", "a portrait of a weaver", "a still life with pears", "an unfinished altar piece",
                "a seascape at dusk", "a self portrait", "a study of hands"),
    "number": ("two", "three", "four", "five", "six", "seven"),
    "time": ("at night", "at dawn", "in the rain", "on a Sunday", "in one day", "before breakfast", "off season"),
}  # fmt: skip

TITLES: dict[str, tuple[str, ...]] = {
    "food": (
        "{dish!c} like my aunt makes it", "The only {dish} you need", "I cooked {dish} for {number} neighbours",
        "{dish!c} in twenty minutes, honestly", "What {herb} does to {dish}", "{number!c} mistakes with {dish}",
        "{dish!c} from leftovers", "A whole meal with {herb}", "{dish!c}, but slowly",
    ),
    "travel": (
        "{city} {time}", "Lost in {city}, happily", "{number!c} days along {land}", "Night train to {city}",
        "Walking {land} with a broken umbrella", "{city} on a small budget", "The ferry to nowhere: {land}",
        "Why I came back to {city}", "{land!c} {time}",
    ),
    "history": (
        "The secret of the {relic}", "Who was {ruler}?", "{ruin!c}: what is left",
        "The {century} century in ten minutes",
        "How {ruler} lost {ruin}", "The {relic} that nobody could read", "{ruin!c} {time}",
        "{number!c} myths about the {century} century", "The trial of {ruler}",
    ),
    "art_music": (
        "{form!c} for {instrument}", "How to listen to {form}", "Looking closely at {picture}",
        "The {instrument} that nobody tunes", "{number!c} ways to hear {form}", "{picture!c}, and its frame",
        "First lesson: {instrument}", "Music for {picture}", "{form!c} {time}",
    ),
}  # fmt: skip

MIXED_TITLES: dict[tuple[str, str], tuple[str, ...]] = {
    ("food", "travel"): (
        "Street food in {city} {time}", "Eating {dish} across {land}", "{dish!c} on the night train to {city}",
        "A market day in {city}", "Chasing {dish} in {city}", "{city}: {number} kitchens, one backpack",
    ),
    ("history", "art_music"): (
        "Music that {ruler} danced to", "{form!c} from {ruin}", "The {instrument} of {ruler}",
        "Painting the {century} century: {picture}", "What {ruin} sounded like",
    ),
}  # fmt: skip

SENTENCES: dict[str, tuple[str, ...]] = {
    "food": (
        "Today we are making {dish}, and we start with the {herb}.",
        "Let the pan get really hot before anything goes in.",
        "Now add a spoon of butter and stir it slowly.", "Smell that. That is the {herb} waking up.",
        "I use {number} onions, but you can take fewer.", "Do not rush the {dish}, it knows when it is ready.",
        "A pinch of salt, and then we taste again.", "Chop everything as small as you can.",
        "Cover the pot and leave it for {number} minutes.", "My grandmother would put {herb} into this, so I do too.",
        "The dough should be soft, but it must not stick to your hands.", "Turn the heat down, or it will burn.",
        "If you have no {herb}, take lemon instead.", "Crisp outside, soft inside, exactly as it should be.",
        "Serve it warm, with fresh bread.", "And that is it, {dish} for {number} people.",
        "Keep some of the water, we need it for the sauce.", "I could eat this {dish} every day.",
    ),
    "travel": (
        "We arrived in {city} this morning, with one bag each.", "The bus to the harbour leaves in {number} minutes.",
        "Look at that view, you can see the whole bay from here.", "Nobody told me that {land} would be so windy.",
        "The ticket costs less than a coffee at home.", "We are staying {number} nights in a small guest house.",
        "If you come to {city}, walk. Do not take a taxi.", "This road goes all the way down to the sea.",
        "I asked for directions, and was invited to a wedding.", "Tomorrow we take the early train to {city}.",
        "My map is wrong, but the sunset is right.", "From {city} it is half a day to {land}.",
        "Always carry a scarf, water, and small change.", "The border was closed, so we turned around.",
        "It is {number} in the morning, and the city is already awake.", "I have never slept better than on that boat.",
        "We missed the ferry, so we have time for a swim.", "Every corner of {city} has a cat on it.",
    ),
    "history": (
        "In the {century} century this was the centre of an empire.",
        "The {relic} was found under the floor of a barn.",
        "We know from a letter that {ruler} never came here.", "The walls of {ruin} were {number} metres thick.",
        "For a long time, scholars believed the opposite.", "The war lasted {number} years and changed very little.",
        "Look closely at the {relic}, and you can see the maker's mark.",
        "Then the plague came, and the town was empty.",
        "Taxes were paid in grain, wool, and salt.", "Only one page of the chronicle survives.",
        "It was here that {ruler} signed the treaty.", "The fire of that winter destroyed {ruin}.",
        "Historians still argue about the date.", "This {relic} would have cost a year of wages.",
        "By the end of the {century} century, the trade had moved north.", "The inscription names {number} brothers.",
        "What happened next is told in two different ways.", "The archive keeps the original, we have a copy.",
    ),
    "art_music": (
        "This is {form}, played on the {instrument}.", "Listen to how the second voice answers the first.",
        "The painter began with {picture}, and never sold it.", "The {instrument} comes in after {number} bars.",
        "Notice the blue in the corner, it was very expensive.", "Play it softer, and let the last note hang.",
        "In {form} the rhythm stays the same to the end.", "He painted {picture} {number} times.",
        "The melody falls, step by step, like water.", "Every {instrument} has its own voice.",
        "Stand back, and the brush strokes disappear.", "The key changes here, and so does the light.",
        "She wrote {form} for her pupils.", "The frame of {picture} is older than the canvas.",
        "Count to {number}, breathe, and begin again.", "That chord should not work, but it does.",
        "The gallery keeps it in the dark for most of the year.", "A good {instrument} is never quite in tune.",
    ),
}  # fmt: skip

_SLOT = re.compile(r"\{(\w+)(!c)?\}")


def fill(rng: np.random.Generator, template: str) -> str:
    """Fill the slots of a template with words drawn from `WORDS`; `{slot!c}` begins with a capital letter.

    Examples
    --------
    >>> fill(np.random.default_rng(0), "no slot")
    'no slot'
    """

    def word(match: re.Match[str]) -> str:
        words = WORDS[match.group(1)]
        drawn = words[int(rng.integers(len(words)))]
        return drawn[0].upper() + drawn[1:] if match.group(2) else drawn

    return _SLOT.sub(word, template)


def draw_title(rng: np.random.Generator, templates: tuple[str, ...], taken: set[str]) -> str:
    """Draw a title that no other video has, and note it in `taken`."""
    while True:
        title = fill(rng, templates[int(rng.integers(len(templates)))])
        if title not in taken:
            taken.add(title)
            return title


def draw_sentences(rng: np.random.Generator, category: str) -> tuple[str, ...]:
    """Draw all sentences of a category once, in a random order, with their slots filled."""
    templates = SENTENCES[category]
    return tuple(fill(rng, templates[int(which)]) for which in rng.permutation(len(templates)))
