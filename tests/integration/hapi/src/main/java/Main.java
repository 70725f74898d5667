import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.test.config.TestR4Config;
import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.server.HardcodedServerAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import java.net.InetSocketAddress;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** HAPI FHIR R4 on H2 in memory, reachable from this machine only. Argument: the port. Prints READY and its base URL. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        String base = "http://127.0.0.1:" + port + "/fhir";
        // Otherwise the test configuration draws a number of database connections by lot.
        System.setProperty("unlimited_db_connection", "true");
        RestfulServer fhir = fhirServer(new AnnotationConfigApplicationContext(TestR4Config.class), base);

        Server http = new Server(new InetSocketAddress("127.0.0.1", port));
        ServletContextHandler paths = new ServletContextHandler();
        paths.setContextPath("/");
        paths.addServlet(new ServletHolder(fhir), "/fhir/*");
        http.setHandler(paths);
        http.start();
        System.out.println("READY " + base);
        http.join();
    }

    private static RestfulServer fhirServer(ApplicationContext beans, String base) {
        RestfulServer server = new RestfulServer(beans.getBean(FhirContext.class));
        server.registerProviders(beans.getBean("myResourceProvidersR4", ResourceProviderFactory.class).createProviders());
        server.registerProvider(beans.getBean("mySystemProviderR4"));
        server.setPagingProvider(beans.getBean(DatabaseBackedPagingProvider.class));
        server.setServerConformanceProvider(new JpaCapabilityStatementProvider(
                server,
                beans.getBean("mySystemDaoR4", IFhirSystemDao.class),
                beans.getBean(JpaStorageSettings.class),
                beans.getBean(ISearchParamRegistry.class),
                beans.getBean(IValidationSupport.class)));
        server.setServerAddressStrategy(new HardcodedServerAddressStrategy(base));
        server.setDefaultResponseEncoding(EncodingEnum.JSON);
        return server;
    }
}
