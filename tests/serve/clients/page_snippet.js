import { group, identify, integrations } from "./calls.js";

// As Segment's snippet does: calls are queued until its script has come. Over plain HTTP it must be told its host.
const analytics = (window.analytics = window.analytics || []);
analytics.invoked = true;
analytics.methods = ["identify", "group"];
for (const method of analytics.methods) {
  analytics[method] = (...given) => analytics.push([method, ...given]);
}
analytics._writeKey = WRITE_KEY;
analytics._cdn = HOST;
const script = document.createElement("script");
script.src = `${HOST}/analytics.js/v1/${WRITE_KEY}/analytics.min.js`;
script.setAttribute("data-global-segment-analytics-key", "analytics");
document.head.append(script);
analytics.identify(...identify, { integrations });
analytics.group(...group, { integrations });
