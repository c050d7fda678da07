"""How services say no before a request is theirs to answer: each protocol of AWS has a form and codes of its own."""

import json
from html import escape

from botocore.exceptions import UnknownServiceError
from moto.core.utils import get_service_model

from helpers.region.errors import RegionError

CODES = {  # what services with XML call it
    "UnrecognizedClientException": {"s3": "InvalidAccessKeyId", "ec2": "AuthFailure", "": "InvalidClientTokenId"},
    "AccessDeniedException": {"": "AccessDenied"},
}
FORMS = {
    "s3": "<Error><Code>{code}</Code><Message>{message}</Message></Error>",
    "ec2": "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>",
    "": "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>",
}


def refusal(error: RegionError, service: str) -> tuple[str, str]:
    """The content type and the text with which `service` tells an error."""
    if _speaks_json(service):
        code = "InvalidSignatureException" if error.code == "SignatureDoesNotMatch" else error.code
        return "application/json", json.dumps({"__type": code, "message": error.message})
    codes = CODES.get(error.code, {"": error.code})
    code = codes.get(service, codes[""])
    return "text/xml", FORMS.get(service, FORMS[""]).format(code=code, message=escape(error.message))


def _speaks_json(service: str) -> bool:
    try:
        return "json" in get_service_model(service).protocol
    except UnknownServiceError:
        return False
