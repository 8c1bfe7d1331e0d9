"""The HTTP/JSON engine: kinds declared as TOML are read from any REST or GraphQL API. Public SDK; see ``README.md``."""

from collector.http.api import Api, Errors, HttpSettings, Limits, RateHeaders
from collector.http.application import ApplicationSettings
from collector.http.assertion import claims_of, signed
from collector.http.auth import Authorizer, Request, SecretHeaders, Unauthenticated, basic, bearer, header_keys
from collector.http.connector import HttpConnector
from collector.http.library import Library, LibraryToken
from collector.http.opening import Opening
from collector.http.session import HttpSession
from collector.http.tokens import RenewedToken, Token, TokenEndpoint, client_credentials

__all__ = [
    "Api",
    "ApplicationSettings",
    "Authorizer",
    "Errors",
    "HttpConnector",
    "HttpSession",
    "HttpSettings",
    "Library",
    "LibraryToken",
    "Limits",
    "Opening",
    "RateHeaders",
    "RenewedToken",
    "Request",
    "SecretHeaders",
    "Token",
    "TokenEndpoint",
    "Unauthenticated",
    "basic",
    "bearer",
    "claims_of",
    "client_credentials",
    "header_keys",
    "signed",
]
