"""A judge of words and regular expressions only, in place of the kit's own: small enough to see that it is right."""

import re

USAGE = {
    "topicPolicyUnits": 0,
    "contentPolicyUnits": 0,
    "wordPolicyUnits": 1,
    "sensitiveInformationPolicyUnits": 0,
    "sensitiveInformationPolicyFreeUnits": 1,
    "contextualGroundingPolicyUnits": 0,
}

POLICY = {  # as CreateGuardrail takes it
    "name": "ward",
    "blockedInputMessaging": "This question is not for me.",
    "blockedOutputsMessaging": "This answer is not for you.",
    "wordPolicyConfig": {"wordsConfig": [{"text": "warez"}]},
    "sensitiveInformationPolicyConfig": {
        "regexesConfig": [
            {"name": "PATIENT", "pattern": r"P-\d{4}", "action": "ANONYMIZE"},
            {"name": "NAME", "pattern": r"Ada \w+|Otto \w+", "action": "ANONYMIZE"},
        ]
    },
}
READ = {  # the same as GetGuardrail tells it
    "name": "ward",
    "blockedInputMessaging": POLICY["blockedInputMessaging"],
    "blockedOutputsMessaging": POLICY["blockedOutputsMessaging"],
    "wordPolicy": {"words": [{"text": "warez"}]},
    "sensitiveInformationPolicy": {"regexes": POLICY["sensitiveInformationPolicyConfig"]["regexesConfig"]},
}


class WordJudge:
    """Blocks words, masks what matches; keeps what it was asked."""

    def __init__(self, policy=READ):
        self.policy, self.asked = policy, []

    def apply(self, source, content, output_scope="INTERVENTIONS"):
        given = [block["text"]["text"] for block in content]
        self.asked.append((source, given))
        words = [w["text"] for w in self.policy["wordPolicy"]["words"] if any(w["text"] in text for text in given)]
        masked, found = zip(*(self._mask(text) for text in given), strict=True)
        regexes = [one for several in found for one in several]
        key = "blockedInputMessaging" if source == "INPUT" else "blockedOutputsMessaging"
        outputs = [self.policy[key]] if words else list(masked) if regexes else []
        assessment = {}
        if words:
            assessment["wordPolicy"] = {
                "customWords": [{"match": word, "action": "BLOCKED", "detected": True} for word in words],
                "managedWordLists": [],
            }
        if regexes:
            assessment["sensitiveInformationPolicy"] = {"piiEntities": [], "regexes": regexes}
        return {
            "action": "GUARDRAIL_INTERVENED" if outputs else "NONE",
            "actionReason": "Guardrail blocked." if words else "Guardrail masked." if regexes else "No action.",
            "outputs": [{"text": text} for text in outputs],
            "usage": USAGE,
            "assessments": [assessment],
        }

    def _mask(self, text):
        found = []
        for one in self.policy["sensitiveInformationPolicy"]["regexes"]:
            for match in dict.fromkeys(re.findall(one["pattern"], text)):
                text = text.replace(match, "{" + one["name"] + "}")
                found.append(
                    {
                        "name": one["name"],
                        "match": match,
                        "regex": one["pattern"],
                        "action": "ANONYMIZED",
                        "detected": True,
                    }
                )
        return text, found


class Crash:
    """A judge that fails."""

    def apply(self, source, content, output_scope="INTERVENTIONS"):
        raise RuntimeError("the judge is broken")
