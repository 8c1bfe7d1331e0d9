"""What run sheets say again and again: the words of codecs 3 and 4, a zstd dictionary of 1,536 bytes.

Trained on a few hundred sheets of form 2 of several workloads (`zstandard.train_dictionary(1536, sheets, k=400, d=6,
f=16, level=12)`): the names of the columns, and how often each digit comes after another. It is part of both codecs and
must never change; better words are another codec.
"""

from __future__ import annotations

from base64 import b85decode

SHEET_WORDS = b85decode(
    "H>5D^_s36i8W7l$N@EPeFbqR^X@TG{E4ihVQcCa7q~Zay^C%z;1jJ%D!vO%q;e(08!9u~qh{D86M1>=<U?dQQfx%!%7z%^IKrk|hq9Bw3ArS`v00"
    "0E*Z3ELd925ouflw$A3Zz*QL~*nS00001000040000800016TQn>%U0p09aA9X<b0RuhZgp&IEN*pdY%FedY-}uUb!==bFf49$Y-}uUb!==bZgp&"
    "IEN*pdY%FedY-}uUb!==bZgp&IT`VGVYh`yLI$JO-Ff1)JG&3wPEHErEEHErEEHErEEHErET`VGVbYXIIWn>~cTQ@g1EHO7RFf1)GGdMXcF*7qZE"
    "G;oNGdV0RGcq_VF*G?bEG;oOH8?CXH#j*gF*Y(REiy4UEHN@QT`VGWZ*OZNI$JX`F)T7PHY_(bFf27QEI2YOGcq_VH8(aaGd4FYHaRRaH!&<VHY_"
    "<aT`VGYWpZ<AZ*C$wGJSg@V_|G;b0RuhF)T4GGAuDHF)T7HGAuGIF)T4GF)T4%EFxrObYW?1B03^<b#-+ub#--hb#-+jEFxxUa&vTFWMOn=B05_z"
    "EHErFFfcGIFf1@EFf1@KEH*GWT`VGWZ*OZNI$JR_I4m(RFf1`KF)T7SF)T7TF)T4KGAubaEHXAQEHgMVEHN`QEHW}SEHf}PT`VGYWpZ<AZ*C$wGJ"
    "Sg@W@&PBbYEm)bY&tsTQM*&Ff1@EFf1`JFfc4IEHErEEHErEEHErEEHN-JFkLJnX>?_6b0RuhH7qhLF)=JOEH*4LFf1`JEHN=GHY_tNHY_$>EFx@"
    "Sb97&1VRU68I$JO-Ff1@EFf1@EFf1@EFf1@EFf1@EFkLJnY-w&~B05_zEHNxHEHf-LEHx}PEH^ATEIBMOFf1`KT`VGVYh`yLI$JO-Ff1@EFf1@EF"
    "f1@EFf1@EFf1@EFkLJnb97;HbY)~BI$Jk1H!?RYF*7kREG;=QF)TJWIV>$PGC46UEi*GTEHN@SG%PJKG&D3UGBh+cEH*PaEG;-UH!L<VFkLJnbZ>"
    "8KB05_$I5{jaH!&<TGB_+UG%_qQGBYeQGc+tSH8CtPH!v(SHZm+SGdC<UGdL_VH#c1@B6ejlEHNxGT`VGIX>xOPUu0o)Wg<FTF)%PNEHErEEHErE"
    "EHErFFfcGIFf1`JFfc4IEHErET`VGLbY*RGB05_(F)TAMEHN`SEHpSQI5I3TF*z(TGBGSMG%+kTIV?0VEH^PMI51r-B5YxEbYEm)bY&tsTQDpzEH"
    "ErEEHErEEHErEEHErEEHErET`VGOVRLj}X=EZgTW)o1Y%FedY-}trEN*pdY%FedY-}trEHErEEN*pdY%FedY-}uUb!==bZgp&IT`VGOX>MgAI$JO"
    "-F)T7HGb}VLH7qtPH!L_TIV>?SEHN=%EFyDjWp^SvTQDpzEHErEEHErEEHErEEHErEEHErET`VGVbYXIIWn>~cTRAi`EHO4PIV>$PGcz|VF)=YYE"
    "G;oLG%_qLG&eIWF*Y?aEG;oPH!v(RI5;#cG%z<TEjBnfEHyJTT`VGWZ*OZNI$JU~GAuPREH^baEHW`TEHO1PEHpPWEHgGUEHg1UEHX7REHySPGB`"
    "0TF*P+^EFyL_EIBtUG%;N)B6ekRb7^mGB04gCdm>|DY;1EPI$JR;F)T7HF)T4GGAuGIGAuDHF)T4GF<mSoV`yP+XJup}I$JO-Ff1@EFf1@EFf1`F"
    "Ff1@EFf1@EFkLJnWMy<=X>1}oB6W3jb#--Pb#--hbs{VxW@&PBbYEm)bY&tsTQDp!FfcGIF)%PNEHErEEHErEEHErEEHN-JFf1@EFkLJnX>?_6b0"
    "RuhHZd$SFf1`MI4m_VEI2YOF)}bLF)}bLF*GqOH!v(TFf2DQEI2S-EFx@Sb97&1VRU68I$JO-Ff1@EFf1@EF)%PNEHErEEHErEEHErET`VGOVRLj"
    "}X=EZgTW)o1Y%Fed"
)
