"""A leaf as it is stored: its exact bytes, smaller.

Of most leaves a third is digests in hexadecimal and the rest is what every leaf of its kind says. So the digests are
kept as they are, and what is left of the text as zstd makes it with fixed words:

    1 | how many times 16 bytes of digests | zstd of the text, a control byte in place of each digest | the digests

No leaf begins with the byte 1 or holds a control byte. A leaf that gets no smaller is stored as it is, as all were
once.
"""

from __future__ import annotations

import re
import threading
from base64 import b85decode
from typing import cast

import zstandard

from collector.errors import IntegrityError
from collector.log.leaf import MAX_BYTES

_FORM = 1
_UNIT = 16
_DIGEST = re.compile(rb"[0-9a-f]{64}|[0-9a-f]{32}")
_MARKS = {32: b"\x01", 16: b"\x02"}
_MARK = re.compile(rb"[\x01\x02]")


def pack_leaf(data: bytes) -> bytes:
    """Return the leaf *data* as it is stored."""
    digests: list[bytes] = []

    def mark(found: re.Match[bytes]) -> bytes:
        digests.append(bytes.fromhex(found[0].decode("ascii")))
        return _MARKS[len(digests[-1])]

    text = _packer().compress(_DIGEST.sub(mark, data))
    tail = b"".join(digests)
    made = bytes([_FORM, len(tail) // _UNIT]) + text + tail
    return made if len(made) < len(data) else data


def unpack_leaf(stored: bytes) -> bytes:
    """Return the leaf that `pack_leaf` made *stored* of. Raises `IntegrityError` for what it cannot have made.

    What does not say that it is packed is returned as it is: whether that is a leaf, `decode_leaf` tells.
    """
    if stored[:1] != bytes([_FORM]):
        return stored
    end = len(stored) - (stored[1] if len(stored) > 1 else 0) * _UNIT
    packed, digests = stored[2:end], stored[max(end, 2) :]
    try:
        # Anybody may have altered the bytes: they must not make us ask for more memory than a leaf can take.
        if zstandard.get_frame_parameters(packed, format=_FORMAT).content_size > MAX_BYTES:
            raise IntegrityError("not a leaf: more than a leaf can be is packed")
        text = _unpacker().decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise IntegrityError(f"not a leaf: it cannot be unpacked: {error}") from error
    place = 0

    def digest(found: re.Match[bytes]) -> bytes:
        nonlocal place
        size = 32 if found[0] == _MARKS[32] else 16
        place += size
        return digests[place - size : place].hex().encode("ascii")

    data = _MARK.sub(digest, text)
    if place != len(digests):
        raise IntegrityError("not a leaf: it has another number of digests than it was packed with")
    return data


# `zstandard.train_dictionary(1024, texts, k=80, d=6, f=16, level=12)` of a few hundred leaves of a made-up workload.
# They are part of form 1 and must never change; better words are another form.
_WORDS = zstandard.ZstdCompressionDict(
    b85decode(
        "H>5D^Ji8ziD-g(%Bpv_%|NsC0mwU?t*=F0ftyyTaR*?oXVy;^$rIb=8GN2ShyHm6RQ!)Su5|9S0NGAXQRN%k@3ur<t5)K+1I5--FOM<XS5DJJy;*"
        "&rGl9*8j8I95a0001FYEi_npc(=(9&|te1ONm8000000RR911ONa42mk;8XJup}Ix#SPEFyDnb#h~6B03^tXkm0ZbY)>}A}k_vcV%U8B04oTI5ak"
        "Wdm>?TYh`32IwAogEFxiaB04cRb0Ru>B4urGba^5=G%O-@ZewU+Zf9j=B04fKFnuf{b7^O8Wn>~cA_5{TB6Dwba${v8IwE6ib#ruOayoBrWg;vhb"
        "9ZHBa3VS}H8V3ZWg<EvbZKL2Wpr~ob7^#CA}k_vcV%U8B04cNGB!9ceS0EdbRs%2H#RUaHZd_YHZV9dEFxoQWn*h_Z)t9HB04oUF*z|TB4l-CB04"
        "cQB075_V`yP+XJup}Ix{RHWo>YDc_KP8EFyJoV`yP+XJup}Ix#VQEFyDnb#h~6B03^tY;SdBI$>jDZ*^{TEi)o4B6D|TWpE-oF*h(ZZ*_8GWg<Ev"
        "V{c?-I%jfkb#NjqB6D|TWpE-oF*!0aGBqqBbaH8DXJv9CIwE6XbYo~Ob#Nkmdm>?UB04cQH#aplGB`OmI5#pZB4cP}EFyDnb#h~6B03^tY;SdBI$"
        ">jDZ*^{TEjJ=8B6D|TWpE-oF*!IhGctX9B4KnQIx#pkH#RUaHZd?UH#aOIWOZdCIx#pkH#RUZFfcGMA}k_oVRLjMI%Z*Pb7d?daA9(EB04cFB5-V"
        "BZX!A|EFyAmZ*(F$A^{>SB64+Zb0Ru>B4urGba^5=F)Si=ZewU+Zf9j=B04lTeJmn#WFk5-IX8VQB6DeHZe?U5IwArhEFyDnb#h~6B03^)Wp8k7W"
        "jbSTa&RInB6D|TWpE-oF*!3aGc|pCB4KlDWn>~cA^{>SB4KnQIx#skaBN|2B04uLB64qUbRs$;0U|6Sa&>NVB075_b#7y5VQyz-WFk5-eJmn#Z*_"
        "8GWg<EvWMOn+VqtS-I&EQTZXzrqb9ZHBa3VS}H8(IZWn>~cF)SiwZE$pXB04iHB4%M}Y-MC3Ix{RHb#7y5VQyz-WFk5=IDIT4b7^O8Wn>~cA_5{T"
        "B6Dwba${v8IwE6iZ*^okWMOn+A}k_vB4l-CB04cSH8VLgIW{mbFfcGIB5P@GWFk5ub9ZHBa3U-saBN|2B04cFB64qUbRs$;0U|6Sa&>NVB075_V`"
        "yP+XJup}Iy5XIb#7y5EFyDnb#h~6B03^ybaZe!XmTPfB6D|T"
    )
)
_FORMAT = zstandard.FORMAT_ZSTD1_MAGICLESS
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(
    12, format=_FORMAT, write_checksum=False, write_dict_id=False, write_content_size=True
)
# The tools hold buffers and are not safe to share between threads: one of each per thread.
_tools = threading.local()


def _packer() -> zstandard.ZstdCompressor:
    if not hasattr(_tools, "packer"):
        _tools.packer = zstandard.ZstdCompressor(compression_params=_PARAMETERS, dict_data=_WORDS)
    return cast(zstandard.ZstdCompressor, _tools.packer)


def _unpacker() -> zstandard.ZstdDecompressor:
    if not hasattr(_tools, "unpacker"):
        _tools.unpacker = zstandard.ZstdDecompressor(dict_data=_WORDS, format=_FORMAT)
    return cast(zstandard.ZstdDecompressor, _tools.unpacker)
