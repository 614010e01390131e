// A new subscription counts its hours by the visitor's own clock, unless they say otherwise.
"use strict";

const zone = document.querySelector("form.wishes input[name=timezone]");
if (zone && zone.value === "UTC") {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (own) zone.value = own;
}
