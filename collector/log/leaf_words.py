"""What leaves say again and again: the words of form 1 of `collector.log.packing`, a zstd dictionary of 1,024 bytes.

Trained on a few hundred leaves of a made-up workload, their digests taken out (`zstandard.train_dictionary(1024, texts,
k=80, d=6, f=16, level=12)`): the names of the fields, and how often each digit comes after another. It is part of the
form and must never change; better words are another form.
"""

from __future__ import annotations

from base64 import b85decode

LEAF_WORDS = b85decode(
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
