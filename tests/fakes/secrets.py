"""Secrets of many issuers in their real shapes, made up anew from a seed: none is written down in the repository."""

from __future__ import annotations

import random
import string
from base64 import b64encode

HEX = "0123456789abcdef"
ALNUM = string.ascii_letters + string.digits
WORD = ALNUM + "_-"
BASE64 = ALNUM + "+/"
UPPER = string.ascii_uppercase + string.digits
_random = random.Random("secrets of nobody")


def some(alphabet: str, length: int) -> str:
    """Return *length* characters of *alphabet*, a digit always among them where it has any."""
    digits = [each for each in alphabet if each.isdigit()]
    text = [_random.choice(alphabet) for _ in range(length)]
    if digits:
        text[length // 2] = _random.choice(digits)
    return "".join(text)


def armoured(kind: str) -> str:
    """Return a private key of *kind* in PEM armour, of no key."""
    lines = "\n".join(some(BASE64, 64) for _ in range(6))
    return f"-----BEGIN {kind}-----\n{lines}\n{some(BASE64, 30)}==\n-----END {kind}-----"


def jwt() -> str:
    """Return a signed token in three parts."""
    head, body = (b64encode(text).decode().rstrip("=") for text in (b'{"alg":"RS256"}', b'{"sub":"1","exp":9999}'))
    return f"{head}.{body}.{some(WORD, 86)}"


# Rule -> secrets that are nothing but the secret.
BARE: dict[str, list[str]] = {
    "private_key": [
        *(armoured(f"{kind}PRIVATE KEY") for kind in ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ")),
        armoured("PGP PRIVATE KEY BLOCK"),
        *(
            b64encode(armoured(f"{kind}PRIVATE KEY").encode()).decode()
            for kind in ("", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ")
        ),
    ],
    "github_token": [
        *(f"gh{kind}_{some(ALNUM, 36)}" for kind in "pousr"),
        f"github_pat_{some(ALNUM, 22)}_{some(ALNUM, 59)}",
    ],
    "gitlab_token": [f"glpat-{some(WORD, 20)}", f"glrt-{some(WORD, 20)}", f"gldt-{some(WORD, 20)}"],
    "slack_token": [
        f"xoxb-{some(string.digits, 12)}-{some(string.digits, 12)}-{some(ALNUM, 24)}",
        f"xoxp-{some(string.digits, 12)}-{some(string.digits, 12)}-{some(HEX, 32)}",
        f"xoxe.xoxp-1-{some(ALNUM, 60)}",
        f"xapp-1-{some(UPPER, 11)}-{some(string.digits, 13)}-{some(HEX, 64)}",
    ],
    "google_api_key": [f"AIza{some(WORD, 35)}"],
    "google_oauth": [f"ya29.{some(WORD, 120)}", f"GOCSPX-{some(WORD, 28)}", f"1//0{some(WORD, 60)}"],
    "stripe_key": [f"sk_live_{some(ALNUM, 24)}", f"rk_test_{some(ALNUM, 99)}", f"whsec_{some(ALNUM, 32)}"],
    "aws_session_token": [f"IQoJb3JpZ2lu{some(BASE64, 300)}==", f"FwoGZXIvYXdz{some(BASE64, 300)}="],
    "aws_bedrock_key": [f"ABSK{some(BASE64, 128)}"],
    "azure_client_secret": [f"{some(ALNUM, 3)}8Q~{some(ALNUM, 34)}"],
    "sendgrid_key": [f"SG.{some(WORD, 22)}.{some(WORD, 43)}"],
    "mailgun_key": [f"key-{some(HEX, 32)}"],
    "mailchimp_key": [f"{some(HEX, 32)}-us21"],
    "npm_token": [f"npm_{some(ALNUM, 36)}"],
    "pypi_token": [f"pypi-AgEIcHlwaS5vcmc{some(WORD, 150)}"],
    "rubygems_key": [f"rubygems_{some(HEX, 48)}"],
    "docker_token": [f"dckr_pat_{some(WORD, 27)}"],
    "vault_token": [f"hvs.{some(WORD, 95)}", f"hvb.{some(WORD, 140)}"],
    "terraform_token": [f"{some(ALNUM, 14)}.atlasv1.{some(ALNUM, 67)}"],
    "databricks_token": [f"dapi{some(HEX, 32)}"],
    "openai_key": [
        f"sk-proj-{some(ALNUM, 74)}T3BlbkFJ{some(ALNUM, 74)}",
        f"sk-{some(ALNUM, 20)}T3BlbkFJ{some(ALNUM, 20)}",
    ],
    "anthropic_key": [f"sk-ant-api03-{some(WORD, 93)}AA"],
    "huggingface_token": [f"hf_{some(string.ascii_letters, 34)}"],
    "shopify_token": [f"shpat_{some(HEX, 32)}"],
    "digitalocean_token": [f"dop_v1_{some(HEX, 64)}"],
    "doppler_token": [f"dp.pt.{some(ALNUM, 43)}"],
    "linear_key": [f"lin_api_{some(ALNUM, 40)}"],
    "notion_token": [f"ntn_{some(ALNUM, 46)}", f"secret_{some(ALNUM, 43)}"],
    "newrelic_key": [f"NRAK-{some(UPPER, 27)}"],
    "grafana_token": [f"glsa_{some(ALNUM, 32)}_{some(HEX, 8)}"],
    "atlassian_token": [f"ATATT3xFfGF0{some(WORD, 170)}={some(HEX, 8).upper()}", f"ATBB{some(ALNUM, 32)}"],
    "onepassword_token": [f"ops_eyJ{some(ALNUM, 300)}"],
    "sentry_token": [f"sntrys_eyJ{some(ALNUM, 120)}_{some(ALNUM, 43)}", f"sntryu_{some(HEX, 64)}"],
    "supabase_key": [f"sbp_{some(HEX, 40)}"],
    "planetscale_token": [f"pscale_tkn_{some(ALNUM, 43)}"],
    "figma_token": [f"figd_{some(WORD, 43)}"],
    "dynatrace_token": [f"dt0c01.{some(UPPER, 24)}.{some(UPPER, 64)}"],
    "heroku_key": [f"HRKU-{some(WORD, 60)}"],
    "tailscale_key": [f"tskey-auth-{some(ALNUM, 12)}CNTRL-{some(ALNUM, 32)}"],
    "jfrog_token": [f"AKCp{some(ALNUM, 69)}"],
    "square_token": [f"sq0csp-{some(WORD, 43)}"],
    "telegram_token": [f"{some(string.digits, 10)}:AA{some(WORD, 33)}"],
    "evidenced_token": [f"evd_{some(WORD, 43)}"],
    "age_key": [f"AGE-SECRET-KEY-1{some(UPPER, 58)}"],
    "fcm_server_key": [f"AAAA{some(WORD, 7)}:APA91b{some(WORD, 134)}"],
    "azure_devops_token": [f"{some(ALNUM, 76)}AZDO{some(ALNUM, 4)}"],
    "postman_key": [f"PMAK-{some(HEX, 24)}-{some(HEX, 34)}"],
    "jwt": [jwt(), jwt()],
    "password_hash": [
        f"$2b$12${some(ALNUM + './', 53)}",
        f"$6$rounds=5000${some(ALNUM, 16)}${some(ALNUM + './', 86)}",
        f"$argon2id$v=19$m=65536,t=3,p=4${some(BASE64, 22)}${some(BASE64, 43)}",
    ],
}

# Rule -> (text with {} for the secret, the secret): it is one only because of what stands around it.
_KEY = some(BASE64, 40)
IN_CONTEXT: dict[str, list[tuple[str, str]]] = {
    "url_password": [
        ("postgres://app:{}@db.internal:5432/shop?sslmode=require", "swordfish"),
        ("https://deploy:{}@git.example.com/acme/shop.git", some(ALNUM, 20)),
        ("amqps://worker:{}@10.0.0.1:5671", "p@ss:w0rd"),
        ("redis://:{}@cache:6379/0", "s3cret"),
        ("mongodb+srv://root:{}@cluster0.example.net", some(ALNUM, 16)),
    ],
    "webhook_url": [
        ("https://hooks.slack.com/services/{}", f"T{some(UPPER, 8)}/B{some(UPPER, 8)}/{some(ALNUM, 24)}"),
        ("https://discord.com/api/webhooks/123456789012345678/{}", some(WORD, 68)),
        (
            "https://acme.webhook.office.com/webhookb2/{}",
            f"{some(HEX, 36)}@{some(HEX, 36)}/IncomingWebhook/{some(HEX, 32)}",
        ),
    ],
    "signed_url": [
        ("https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature={}", some(HEX, 64)),
        ("https://acme.blob.core.windows.net/c?sv=2024-05-04&sp=r&sig={}", some(ALNUM, 43) + "%3D"),
        ("https://storage.googleapis.com/b/o?X-Goog-Date=x&X-Goog-Signature={}", some(HEX, 512)),
    ],
    "query_token": [
        ("https://api.example.com/hook?token={}", some(ALNUM, 32)),
        ("https://x.test/?a=1&access_token={}", some(ALNUM, 40)),
    ],
    "authorization": [
        ("Authorization: Bearer {}", some(ALNUM, 40)),
        ("curl -H 'Authorization: SSWS {}'", "00" + some(WORD, 40)),
        ("authorization: Basic {}", b64encode(b"user:password12").decode()),
    ],
    "aws_secret_key": [("AKIAIOSFODNN7EXAMPLE:{}", _KEY), ("key AKIAIOSFODNN7EXAMPLE / {} works", _KEY)],
    "azure_account_key": [
        (
            "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={};EndpointSuffix=core.windows.net",
            some(BASE64, 86) + "==",
        ),
        (
            "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=all;SharedAccessKey={}",
            some(BASE64, 43) + "=",
        ),
    ],
    "twilio_key": [("TWILIO_AUTH: {}", some(HEX, 32))],
    "assignment": [
        ("Server=tcp:db;Database=shop;User Id=app;Password={};Encrypt=true", "swordfish"),
        ("aws_secret_access_key = {}", _KEY),
        ("export DB_PASSWORD='{}'", "correct horse battery"),
        ("client_secret: {}", some(ALNUM, 24)),
        ("cannot log in with {{'password': '{}'}}", "hunter2!"),
        ('{{"api_key": "{}", cut off', some(ALNUM, 24)),
        ("mysqldump --password={} shop", "hunter2!"),
        ("tool --token {} run", some(ALNUM, 20)),
    ],
}

# What auditors need to read and nobody may take for a secret.
HARMLESS: list[str] = [
    "arn:aws:iam::123456789012:role/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db/password-AbCdEf",
    "arn:aws:ssm:eu-central-1:123456789012:parameter/prod/db/password",
    "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "AIDACKCEVSQ6C2EXAMPLE",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "sha256:" + some(HEX, 64),
    some(HEX, 40),
    some(HEX, 32),
    b64encode(some(HEX, 40).encode()).decode(),
    "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:" + some(HEX, 64),
    "https://example.com:8443/path?page=2&sort=name",
    "https://sts.windows.net/1234abcd-12ab-34cd-56ef-1234567890ab/",
    "https://user@example.com/",
    "ssh-ed25519 " + some(BASE64, 68) + " alice@laptop",
    armoured("CERTIFICATE"),
    armoured("PUBLIC KEY"),
    b64encode(armoured("CERTIFICATE").encode()).decode(),
    b64encode(b'{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}').decode(),
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":"*"}]}',
    "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D",
    "v=DKIM1; k=rsa; p=" + some(BASE64, 200),
    "google-site-verification=" + some(WORD, 43),
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be",
    "The password must have 14 characters. Secret rotation: enabled",
    "iam:UpdateAccountPasswordPolicy",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "No token was given: basic authentication is switched off",
    "alice@example.com",
    "2026-03-14T03:00:00Z",
    "eu-central-1",
    "task-force-key-management-review",
    "password: required",
    "${DB_PASSWORD}",
    "{{resolve:secretsmanager:prod/db:SecretString:password}}",
    "https://app:${PASSWORD}@db.internal/shop",
]
