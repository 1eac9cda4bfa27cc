import { jitsuAnalytics } from "@jitsu/js";
import { group, identify } from "./calls.js";

// Nothing but the host is other than at Jitsu.
const analytics = jitsuAnalytics({ host: HOST, writeKey: WRITE_KEY });
await analytics.identify(...identify);
await analytics.group(...group);
