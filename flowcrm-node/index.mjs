import flowcrm from "./index.js";

export default flowcrm;
export const {Caller, Crm, FlowCrmError, Listing, Worker, open} = flowcrm;
