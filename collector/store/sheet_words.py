"""What run sheets say again and again: the words of codec 3, a zstd dictionary of 1,536 bytes.

Trained on a few hundred sheets of form 2 of several workloads (`zstandard.train_dictionary(1536, sheets, k=400, d=6,
f=16, level=12)`): the names of the columns, and how often each digit comes after another. It is part of codec 3 and
must never change; better words are another codec.
"""

from __future__ import annotations

from base64 import b85decode

SHEET_WORDS = b85decode(
    "H>5D^bx6cb8W7l$N@EPeFbqR^A*W%gq?A%hDf{uqp~?Xh^B5cu3q(c6!T|uZ;lv08M#6yuNJ50rVv$Hh7KH?1U>FP#g24bla41HC2+U)YF<Afr09"
    "4J0A~_%s2m+ySC?F081VTX;rEwbo0000100004000080000sEH^ATEIBMOFf1`KT`VGOX>)XCWFk6SHZUwRFf1`NFf27NEHErFGB7MLGB7MLG%ze"
    "TFf24MEH^MLI51r-B5rSVWg<FTTQn>%U0p09aA9X<b0RuhZgp&IEN*pdY%FedY-}uUb!==bFf49$Y-}uUb!==bZgp&IEN*pdY%FedY-}uUb!==bZ"
    "gp&IT`VGVYh`yLI$Jn1EHyGUEHXJTEHg7QEH^PVEHyPSEIBtUGBh_VF*qzVGchbTH90IYH#uD_B6D<Ma&%>6B05_)F*PhPHZeCWEip1QIV>?SF*G"
    "bKF*P(dEG;uIGb}MQGC3?QF*Y|gEHXDWIV?3YFf1)MH8d<VIWt`>B6M$WYa%*ZGd4IZF*!3VH90dZGBY(SF*Y?UGcYqOG%_(PGBh_VGBr6YF*PzQ"
    "GBY$RGBz<?EFyMga&u`oT`VGYWpZ<AZ*C$wGJSg@W@&PBbYEm)bY&tsTQDpzEHN-JFf1@EFf1@EFf1@EFf1`JFfc4JFfcGIFkLJnX>?_6b0RuhH7"
    "qhLF)=JOEH*4LFf1`JEHN=GHY_tNHY_$>EFx@Sb97&1VRU68I$JO-Ff1@EFf1@EFf1@EFf1@EFf1@EFkLJnY-w&~B05_zEHNxHEHf-LEHx}PEH^A"
    "TEIBMOFf1`KT`VGOX>)XCWFk6SH7qhLF)=JOEH*4LFf1`JEHN=GHY_tNHY_$>EFyDjWp^SvTRAs5EI2nZEHOAYEHyYZEH^nbEHp4UEHpJXEHgASE"
    "H*GVEHN}UEHW@SEI2YWT`VGVbYXIIWn>~cTQWH|H#svbH#spZEjBPUEHpPaEG;oGG&n3RHZ?3bG&C$NF)=tdEHW}MI4m|XHY_bUH8LzWGc{c-B6M"
    "$WYa%*ZF*r6XGB`LaGB7wSF)}zTGdMLYHZ?3VHaRRaG&3wSIXNsdGBYeQGd3(TF*jW-B6ekLY%FedY-}trEHErEEN*pdY%FedY-}uUb!==bZgp&I"
    "T`VGOX>MgAI$JO-F)T7HGb}VLH7qtPH!L_TIV>?SEHN=%EFx@ab97~7B05_(F)TAMEHN`SEHpSQI5I3TF*z(TGBGSMG%+kTIV?0VEH^PMI51r-B6"
    "DkHcOp7lHZwCUH!w0RH8w0WHa9FYGdL_cH8m_UI5I3VH!v(QHZm+YG&d|ZGAuPUGF>bpb97;HbY)~BI$JR_GdL_UFfutTEjKeXEH*SbEG;oJGB+$"
    "OH8?daF*Z0hEG;rHH8w0WFg7wQG&wLVEjTqWEHpMST`VGWZ*OZNI$JV1H7qkTH7qnTGb}hYEHgMWEHyYaEHW}SEHgJSEHN-JEHXJYEHgGREHgPUT"
    "`VGYWpZ<AZ*C$wGJSg@V_|G;b0RuhF)T4GGAuDHF)T7HGAuGIF)T4GF)T4%EFxxUa&vTFWMOn=B05_zEHErFFfcGIFf1@EF)%PNEHErEEHErEEHN"
    "-JFf1@#EFx)LEFyMga&u{KZX!A|eS0EfVQg%3B05_!EHNxHEHNxGEHW%IEHW%HEHNxGEHPayB4cP_Zf9j=B05_zEHErEEHErEEHErEEHNxFEHErE"
    "EHGUxB4lNBVQFk4IwEy-b#--hbz^mPb#)>vB4%lFb97&1VRU68I$JR?Ffc4IEHErEEHErEEHErEEHErEEHErFFfcG(EFx)iWo>gJI$Jg|EHf}HF*"
    "7(UH83nVGAuDNFf1`LFf1`NF)TMQEHp4IH!&<YFkLJnY+-YBUu0o)Wg<FTFf1@EFf1@EFf1@EF)%PNEHErEEHErEEHGUxB5YxEbYE#?B05`cb!=="
    "bZgp&IEHEr?b!==b"
)
