import flowcrm from "./index.js";

export default flowcrm;
export const {Crm, FlowCrmError, Listing, User, Worker, open} = flowcrm;
