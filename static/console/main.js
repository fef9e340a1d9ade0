import * as alerts from "./alerts.js";
import * as announce from "./announce.js";
import * as clock from "./clock.js";
import * as forms from "./forms.js";
import * as hold from "./hold.js";
import * as keys from "./keys.js";
import * as link from "./link.js";
import * as palette from "./palette.js";
import * as press from "./press.js";
import * as pulse from "./pulse.js";
import * as silences from "./silences.js";

for (const part of [clock, announce, link, press, palette, keys, forms, hold, alerts, pulse, silences]) part.start();
