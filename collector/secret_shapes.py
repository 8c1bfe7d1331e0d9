"""What secrets look like: one rule per family of tokens, as issuers document them or give them to secret scanners.

Access key *ids*, ARNs, digests, UUIDs and certificates are no secrets, nor is base64 as such.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

_REFERENCE = re.compile(
    r"(?i)arn:|projects/|/subscriptions/|(?:https?|file|env|vault|ssm|secretsmanager|op|ref\+\w+):|@Microsoft|\[redacted"
    r"|(?:var|local|data|module|secrets|env)\.|\{\{|\$[{(]|\$\w+$|%\w+%$|<[^>]*>$|[*•xX.]{3,}|/[\w.-]+/|alias/"
)
_SETTING = re.compile(
    r"(?i)(?:true|false|null|nil|none|undefined|n/?a|yes|no|on|off|enabled|disabled|required|optional|not_\w+|never"
    r"|always|default|unknown|present|absent|set|unset|hidden|masked|redacted|sensitive|supported|\d{1,4})$"
)
_WORDS = re.compile(r"[A-Za-z]+(?:[ _./-][A-Za-z]+)*$")


@dataclass(frozen=True)
class Rule:
    """One family of secrets. It can only match where one of *anchors* (lower case) occurs.

    The pattern's group ``secret``, or the whole match without one, is what must not be kept. A rule that goes by the
    name before the value sets *words*: the value must be a secret by `is_secret`, and whether a bare word is one.
    """

    name: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[str]
    words: bool | None = None


def is_secret(value: str, *, words: bool) -> bool:
    """Tell whether *value*, under a name that promises a secret, is one: not a reference, a mask or a setting.

    With *words* a bare word is one too (``DB_PASSWORD=swordfish``); else it reads as a setting (``saml_only``).
    """
    if not value or _REFERENCE.match(value) or _SETTING.match(value):
        return False
    return words or not _WORDS.match(value)


def _rule(name: str, anchors: str, pattern: str, *, words: bool | None = None) -> Rule:
    return Rule(name, tuple(anchors.split()), re.compile(pattern), words)


def _token(prefixes: str, body: str) -> str:
    return rf"(?<![A-Za-z0-9])(?:{prefixes}){body}"


def _base64(text: str) -> str:
    """Return the base64 that every text beginning with *text* begins with."""
    whole = text.encode()
    return b64encode(whole[: len(whole) // 3 * 3]).decode()


_ARMOURED = "|".join(
    _base64(f"-----BEGIN {kind}PRIVATE KEY") for kind in ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "PGP ")
)
_NAMES = (
    "password|passwd|passphrase|secret(?:[_-]?access)?(?:[_-]?key)?|api[_-]?(?:key|token)|private[_-]?key|account[_-]?key"
    "|(?:access|auth|refresh|session|bot)[_-]?token|shared[_-]?access[_-]?key|signing[_-]?key|encryption[_-]?key"
    "|connection[_-]?string|pwd"
)
_ASSIGNED = (
    "password passwd passphrase secret pwd apikey api_key api-key apitoken api_token api-token privatekey private_key "
    "private-key accountkey account_key account-key accesskey access_key access-key signingkey signing_key signing-key "
    "encryptionkey encryption_key encryption-key accesstoken authtoken refreshtoken sessiontoken bottoken _token "
    "-token connectionstring connection_string connection-string"
)
_QUOTE = r"(?:\\{0,3}[\"'])"
_VALUE = rf"(?P<quote>{_QUOTE})?(?P<secret>(?(quote)[^\"'\\]{{4,4000}}|[^\s\"'&,;\\]{{4,4000}}))"
# Issuers whose tokens carry their name in front; the value is (anchors, prefix and body).
_PREFIXED: dict[str, tuple[str, str]] = {
    "github_token": (
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        _token("gh[pousr]_", "[A-Za-z0-9]{36,255}") + "|" + _token("github_pat_", "[A-Za-z0-9_]{22,255}"),
    ),
    "gitlab_token": (
        "glpat- glptt- glrt- glft- glimt- glagent- glsoat- gldt- glcbt- gloas- glffct- gr1348941",
        _token("gl(?:pat|ptt|rtr?|ft|imt|agent|soat|dt|cbt|oas|ffct)-|GR1348941", "[A-Za-z0-9_.-]{20,300}"),
    ),
    "slack_token": (
        "xoxa- xoxb- xoxc- xoxd- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp-",
        _token(r"xox[a-eopr-s][-.](?:xox[bp]-)?|xapp-\d-", "[A-Za-z0-9%/+-]{10,400}"),
    ),
    "google_api_key": ("aiza", _token("AIza", "[A-Za-z0-9_-]{35}")),
    "google_oauth": (
        "ya29. gocspx- 1//0",
        _token(r"ya29\.", "[A-Za-z0-9_.-]{20,2000}")
        + "|"
        + _token("GOCSPX-", "[A-Za-z0-9_-]{28}")
        + "|"
        + _token("1//0", "[A-Za-z0-9_-]{40,200}"),
    ),
    "stripe_key": (
        "sk_live_ sk_test_ rk_live_ rk_test_ whsec_",
        _token("[sr]k_(?:live|test)_", "[A-Za-z0-9]{16,250}") + "|" + _token("whsec_", "[A-Za-z0-9+/=]{24,100}"),
    ),
    "aws_session_token": (
        "fwogzxivyxdz iqojb3jpz2lu ixojb3jpz2lu",
        _token("FwoGZXIvYXdz|I[QX]oJb3JpZ2lu", "[A-Za-z0-9+/]{50,4000}={0,2}"),
    ),
    "aws_bedrock_key": ("absk", _token("ABSK", "[A-Za-z0-9+/]{100,270}={0,2}")),
    "azure_client_secret": ("q~", r"(?<![\w~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![\w~.-])"),
    "sendgrid_key": ("sg.", _token(r"SG\.", r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}")),
    "mailgun_key": ("key-", _token("key-", "[0-9a-f]{32}(?![0-9a-z])")),
    "mailchimp_key": ("-us1 -us2 -us3 -us4 -us5 -us6 -us7 -us8 -us9", r"(?<![0-9a-f])[0-9a-f]{32}-us\d{1,2}(?!\d)"),
    "npm_token": ("npm_", _token("npm_", "[A-Za-z0-9]{36}")),
    "pypi_token": ("pypi-ag", _token("pypi-Ag[EF]", "[A-Za-z0-9_-]{50,1000}")),
    "rubygems_key": ("rubygems_", _token("rubygems_", "[0-9a-f]{48}")),
    "docker_token": ("dckr_pat_ dckr_oat_", _token("dckr_[po]at_", "[A-Za-z0-9_-]{20,100}")),
    "vault_token": ("hvs. hvb. hvr.", _token(r"hv[sbr]\.", "[A-Za-z0-9_-]{24,300}")),
    "terraform_token": ("atlasv1", r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,80}"),
    "databricks_token": ("dapi", _token("dapi", "[0-9a-f]{32}(?:-\\d)?(?![0-9a-z])")),
    "openai_key": (
        "t3blbkfj sk-proj- sk-svcacct- sk-admin-",
        _token("sk-(?:proj|svcacct|admin)-", "[A-Za-z0-9_-]{40,250}")
        + "|"
        + _token("sk-", "[A-Za-z0-9_-]{20,80}T3BlbkFJ[A-Za-z0-9_-]{20,80}"),
    ),
    "anthropic_key": ("sk-ant-", _token("sk-ant-", "[A-Za-z0-9_-]{40,200}")),
    "huggingface_token": ("hf_", _token("hf_", "[A-Za-z]{34}(?![A-Za-z0-9])")),
    "shopify_token": ("shpat_ shpca_ shppa_ shpss_", _token("shp(?:at|ca|pa|ss)_", "[0-9A-Fa-f]{32}")),
    "digitalocean_token": ("dop_v1_ doo_v1_ dor_v1_", _token("do[por]_v1_", "[0-9a-f]{64}")),
    "doppler_token": ("dp.", _token(r"dp\.(?:pt|st|ct|sa|scim|audit)\.", r"[A-Za-z0-9_.-]{40,100}")),
    "linear_key": ("lin_api_ lin_oauth_", _token("lin_(?:api|oauth)_", "[A-Za-z0-9]{40,64}")),
    "notion_token": ("ntn_ secret_", _token("ntn_|secret_", "[A-Za-z0-9]{43,50}(?![A-Za-z0-9])")),
    "newrelic_key": ("nrak- nrii- nrjs-", _token("NR(?:AK|II|JS)-", "[A-Za-z0-9_-]{19,32}")),
    "grafana_token": ("glsa_ glc_ey", _token("glsa_|glc_ey", "[A-Za-z0-9_+/=]{32,400}")),
    "atlassian_token": (
        "atatt3 atctt3 atbb atst",
        _token("AT[AC]TT3[xX]", "[A-Za-z0-9_=-]{50,300}") + "|" + _token("ATBB|ATST", "[A-Za-z0-9_=-]{32,300}"),
    ),
    "onepassword_token": (
        "ops_ey a3-",
        _token("ops_ey", "[A-Za-z0-9_+/=-]{100,2000}")
        + "|"
        + _token("A3-", "[A-Z0-9]{6}-(?:[A-Z0-9]{5,11}-){3,5}[A-Z0-9]{5}"),
    ),
    "sentry_token": ("sntrys_ sntryu_", _token("sntrys_ey|sntryu_", "[A-Za-z0-9_+/=-]{50,500}")),
    "supabase_key": ("sbp_ sb_secret_", _token("sbp_|sb_secret_", "[A-Za-z0-9_-]{20,60}")),
    "planetscale_token": ("pscale_", _token("pscale_(?:pw|tkn|oauth)_", "[A-Za-z0-9_.=-]{32,64}")),
    "figma_token": ("figd_", _token("figd_", "[A-Za-z0-9_-]{40,60}")),
    "dynatrace_token": ("dt0", _token(r"dt0[a-z]\d\d\.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}")),
    "heroku_key": ("hrku-", _token("HRKU-", "[A-Za-z0-9_-]{36,80}")),
    "tailscale_key": ("tskey-", _token("tskey-[a-z]{2,12}-", "[A-Za-z0-9]{6,30}(?:-[A-Za-z0-9]{16,64})?")),
    "jfrog_token": ("akcp", _token("AKCp", "[A-Za-z0-9]{69}")),
    "square_token": ("sq0atp- sq0csp- eaaa", _token("sq0(?:atp|csp)-", "[A-Za-z0-9_-]{22,50}")),
    "telegram_token": (":aa", r"(?<![A-Za-z0-9])\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    "evidenced_token": ("evd_", _token("evd_", "[A-Za-z0-9_-]{43}")),
    "age_key": ("age-secret-key-", _token("AGE-SECRET-KEY-(?:PQ-)?1", "[A-Z0-9]{58,200}")),
    "fcm_server_key": (":apa91", r"(?<![A-Za-z0-9])AAAA[A-Za-z0-9_-]{7}:APA91[A-Za-z0-9_-]{120,160}"),
    "azure_devops_token": ("azdo", r"(?<![A-Za-z0-9])[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])"),
    "postman_key": ("pmak-", _token("PMAK-", "[0-9a-f]{24}-[0-9a-f]{34}")),
    "twilio_key": ("twilio", r"(?i:twilio)[^\n]{0,40}?[\"'\s=:](?P<secret>[0-9a-f]{32})(?![0-9a-z])"),
}

RULES: tuple[Rule, ...] = (
    # Without an END it runs to the end of the text: a cut key is still most of a key.
    _rule(
        "private_key",
        "-----begin",
        r"-----BEGIN[ +A-Z0-9]{0,40}PRIVATE[ +]KEY(?:[ +]BLOCK)?-----[^-\"]*(?:-(?!----)[^-\"]*)*"
        r"(?:-----END[^-\"]{0,60}-----)?",
    ),
    _rule("private_key", "ls0tls1crudjti", rf"(?:{_ARMOURED})[A-Za-z0-9+/]*={{0,2}}"),
    *(_rule(name, anchors, pattern) for name, (anchors, pattern) in _PREFIXED.items()),
    _rule("jwt", "eyj", _token("eyJ", r"[A-Za-z0-9_-]{10,4000}(?:\.[A-Za-z0-9_-]{10,8000}){2,4}")),
    _rule(
        "url_password",
        "://",
        r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s/?#:@\"']{0,256}:(?P<secret>[^\s/?#\"']{1,512})@",
        words=True,
    ),
    _rule(
        "webhook_url",
        "hooks.slack.com /webhooks/ webhook.office.com",
        r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/\d{5,25}/"
        r"|webhook\.office\.com/webhookb2/)(?P<secret>[A-Za-z0-9@/_-]{20,400})",
    ),
    _rule(
        "signed_url",
        "signature= security-token= sig=",
        r"(?i)[?&;](?:X-(?:Amz|Goog)-(?:Signature|Security-Token)|sig|signature)=(?P<secret>[A-Za-z0-9%+/=_-]{16,4000})",
    ),
    _rule(
        "query_token",
        "token= key= secret=",
        r"(?i)[?&](?:access_token|id_token|token|api_?key|key|client_secret)="
        r"(?P<secret>(?=[^&\s]{0,2000}\d)[A-Za-z0-9%._~+/=-]{16,2000})",
        words=True,
    ),
    _rule(
        "authorization",
        "bearer basic ssws geniekey",
        r"(?i)(?<![a-z])(?:bearer|basic|ssws|geniekey)(?:\s|%20){1,3}"
        r"(?P<secret>(?=[^\s\"']{0,4000}\d)[A-Za-z0-9._~+/-]{16,4000}={0,2})",
    ),
    _rule(
        "aws_secret_key",
        "akia asia",
        r"A(?:KIA|SIA)[A-Z2-7]{16}[^A-Za-z0-9]{1,8}(?P<secret>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])",
    ),
    _rule(
        "azure_account_key",
        "accountkey= accesskey=",
        r"(?i)(?:Account|SharedAccess)Key=(?P<secret>[A-Za-z0-9+/]{40,90}={0,2})",
    ),
    _rule(
        "password_hash",
        "$2a$ $2b$ $2y$ $5$ $6$ $y$ $argon2",
        r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}|\$(?:[56y]|argon2\w{1,2})\$[./A-Za-z0-9$=,+]{40,200}",
    ),
    _rule("assignment", _ASSIGNED, rf"(?i)(?:{_NAMES}){_QUOTE}?\s{{0,4}}=\s{{0,4}}{_VALUE}", words=True),
    # A colon needs a blank or a quote after it, as ARNs have colons too: ...:secret:prod/db-AbCdEf.
    _rule(
        "assignment", _ASSIGNED, rf"(?i)(?:{_NAMES}){_QUOTE}?\s{{0,4}}:(?:\s{{1,4}}|(?={_QUOTE})){_VALUE}", words=False
    ),
    _rule(
        "assignment",
        "--pass --secret --token --api",
        rf"(?i)--(?:pass|secret|token|api-?key)(?:\s|=){_VALUE}",
        words=True,
    ),
)


def _trie(words: Iterable[str]) -> str:
    """Return a pattern that finds any of *words*, by their common beginnings: many times faster than one by one."""
    branches: dict[str, list[str]] = {}
    for word in words:
        if not word:
            return ""
        branches.setdefault(word[0], []).append(word[1:])
    return "(?:" + "|".join(re.escape(first) + _trie(rest) for first, rest in branches.items()) + ")"


ANCHOR = re.compile(_trie(sorted({anchor for rule in RULES for anchor in rule.anchors})).encode())
"""Finds whether any rule could match in a text: UTF-8, lower case."""
